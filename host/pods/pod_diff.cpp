#include "pods/pod_diff.hpp"

#include "base/joined.hpp"
#include "kube/json_cut.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace vkhost::pods {
namespace {

struct Part {
  std::uint64_t bit;
  char letter;  // in the annotation
  std::string_view name;
};
// In the order of their bits.
constexpr std::array<Part, 5> kParts = {
    {{plugin::kChangedMetadata, 'm', "metadata"},
     {plugin::kChangedImage, 'i', "images"},
     {plugin::kChangedResources, 'r', "resources"},
     {plugin::kChangedEphemeralContainers, 'e', "ephemeral containers"},
     {plugin::kChangedDeadline, 'd', "deadline"}}};
constexpr char kGeneration = 'g';

std::string hex(std::uint64_t value) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return {digits.data(), end};
}

std::optional<std::uint64_t> parse_hex(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, 16);
  return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

// One word of the annotation: a letter, "!" for what was turned down, ":" and a number.
struct Word {
  char letter = 0;
  bool is_refusal = false;
  std::string_view value;
};

std::optional<Word> next_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(','));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  const std::size_t colon = word.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > 2 ||
      (colon == 2 && word[1] != '!')) {
    return std::nullopt;
  }
  return Word{word[0], colon == 2, word.substr(colon + 1)};
}

std::string_view generation_in(std::string_view text) {
  while (!text.empty()) {
    const auto word = next_word(text);
    if (word && word->letter == kGeneration) {
      return word->value;
    }
  }
  return {};
}

// The annotation, if it was written for this very pod: users copy manifests, annotations and all.
std::string_view told_text(const kube::PodRecord& pod) {
  if (pod.raw.find(kube::kToldAnnotation) == std::string::npos) {
    return {};
  }
  const std::string_view metadata = kube::find_member(pod.raw, "metadata");
  const std::string_view annotations = kube::find_member(metadata, "annotations");
  if (annotations.empty() ||
      kube::plain_string(kube::find_member(annotations, kube::kHandleUidAnnotation)) != pod.uid) {
    return {};
  }
  return kube::plain_string(kube::find_member(annotations, kube::kToldAnnotation));
}

}  // namespace

std::uint64_t changed_parts(const kube::SpecParts& one, const kube::SpecParts& other) {
  return (one.image == other.image ? 0 : plugin::kChangedImage) |
         (one.resources == other.resources ? 0 : plugin::kChangedResources) |
         (one.ephemeral == other.ephemeral ? 0 : plugin::kChangedEphemeralContainers) |
         (one.deadline == other.deadline ? 0 : plugin::kChangedDeadline);
}

std::string refusal_of_parts(std::uint64_t parts) {
  std::vector<std::string> names;
  for (const Part& part : kParts) {
    if ((parts & part.bit) != 0) {
      names.emplace_back(part.name);
    }
  }
  return "The provider does not change the " +
         (names.empty() ? std::string("material") : joined(names, " and ")) +
         " of a pod that runs; the change takes effect when the pod is replaced";
}

ToldParts::Hashes ToldParts::hashes_of(const PodParts& parts) {
  constexpr std::uint64_t kHashBits = (std::uint64_t{1} << 48U) - 1;
  return {parts.metadata & kHashBits, parts.spec.image, parts.spec.resources, parts.spec.ephemeral,
          parts.spec.deadline};
}

void ToldParts::accept(std::uint64_t parts, const PodParts& now) {
  const Hashes hashes = hashes_of(now);
  for (std::size_t i = 0; i < kCount; ++i) {
    if ((parts & kParts[i].bit) != 0) {
      accepted_[i] = hashes[i];
    }
  }
  known_ |= parts & kPodParts;
  refusals_ &= ~parts;
  ask_again_ &= ~parts;
}

void ToldParts::refuse(std::uint64_t parts, const PodParts& now) {
  const Hashes hashes = hashes_of(now);
  for (std::size_t i = 0; i < kCount; ++i) {
    if ((parts & kParts[i].bit) != 0) {
      refused_[i] = hashes[i];
    }
  }
  refusals_ |= parts & kPodParts;
  ask_again_ &= ~parts;
}

void ToldParts::forget(std::uint64_t parts) {
  known_ &= ~parts;
  refusals_ &= ~parts;
  ask_again_ &= ~parts;
}

void ToldParts::note_wanted(const PodParts& now) {
  const Hashes hashes = hashes_of(now);
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::uint64_t bit = kParts[i].bit;
    if ((refusals_ & bit) != 0 && hashes[i] != refused_[i]) {
      refusals_ &= ~bit;
      ask_again_ &= ~bit;
    }
  }
}

std::uint64_t ToldParts::changed(const PodParts& now) const {
  const Hashes hashes = hashes_of(now);
  std::uint64_t changed = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::uint64_t bit = kParts[i].bit;
    const bool is_accepted = (known_ & bit) != 0 && accepted_[i] == hashes[i];
    const bool is_refused = (refusals_ & ~ask_again_ & bit) != 0 && refused_[i] == hashes[i];
    changed |= is_accepted || is_refused ? 0 : bit;
  }
  return changed;
}

std::uint64_t ToldParts::refused(const PodParts& now) const {
  const Hashes hashes = hashes_of(now);
  std::uint64_t refused = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    if ((refusals_ & kParts[i].bit) != 0 && refused_[i] == hashes[i]) {
      refused |= kParts[i].bit;
    }
  }
  return refused;
}

std::string ToldParts::text(std::uint64_t supported, std::int64_t generation) const {
  if ((supported & kPodParts) == 0) {
    return {};
  }
  std::string text;
  // Metadata is told to few providers; what no update is made for is not worth its bytes.
  const std::uint64_t kept = kSpecParts | (supported & plugin::kChangedMetadata);
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::uint64_t bit = kParts[i].bit & kept;
    if ((known_ & bit) != 0) {
      text += (text.empty() ? "" : ",") + std::string{kParts[i].letter, ':'} + hex(accepted_[i]);
    }
    if ((refusals_ & bit) != 0) {
      text +=
          (text.empty() ? "" : ",") + std::string{kParts[i].letter, '!', ':'} + hex(refused_[i]);
    }
  }
  if (!text.empty() && generation > 0) {
    text += std::string{',', kGeneration, ':'} + std::to_string(generation);
  }
  return text;
}

void ToldParts::read(std::string_view text) {
  while (!text.empty()) {
    const auto word = next_word(text);
    const auto value = word ? parse_hex(word->value) : std::nullopt;
    for (std::size_t i = 0; value && i < kCount; ++i) {
      if (kParts[i].letter != word->letter) {
        continue;
      }
      (word->is_refusal ? refused_ : accepted_)[i] = *value;
      (word->is_refusal ? refusals_ : known_) |= kParts[i].bit;
    }
  }
}

void ToldParts::restore(const kube::PodRecord& pod, std::uint64_t supported) {
  *this = ToldParts();
  const std::string_view text = told_text(pod);
  // A spec that was written meanwhile may have been told, and taken back since, by a process that
  // ended before it could say so.
  const std::string told = pod.generation > 0 ? std::to_string(pod.generation) : std::string();
  if (text.empty() || (!pod.is_deleting() && generation_in(text) != told)) {
    return;
  }
  read(text);
  ask_again_ = refusals_ & supported;
}

}  // namespace vkhost::pods
