// ToldParts: which state of each changeable part of a pod (plugin::kChangedMetadata to
// kChangedDeadline) the provider has been told, and which it has turned down.
//
// So a change is told as what it is, once; and a part that was turned down is not tried again before
// it changes. It outlives the process as the annotation vkhost.io/told, so that a restart tells the
// provider nothing that it knows. A plain value of PodState. [no-block]
#pragma once

#include "kube/pod_record.hpp"
#include "plugin/provider.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::pods {

inline constexpr std::uint64_t kSpecParts = plugin::kChangedImage | plugin::kChangedResources |
                                            plugin::kChangedEphemeralContainers |
                                            plugin::kChangedDeadline;
inline constexpr std::uint64_t kPodParts = kSpecParts | plugin::kChangedMetadata;
inline constexpr std::uint64_t kMaterialParts =
    plugin::kChangedFiles | plugin::kChangedTokens | plugin::kChangedPullCredentials;

// Parts that differ between two versions of a pod's spec.
[[nodiscard]] std::uint64_t changed_parts(const kube::SpecParts& one, const kube::SpecParts& other);

// A sentence for the user whose change has no effect.
[[nodiscard]] std::string refusal_of_parts(std::uint64_t parts);

// A pod's parts as they are, or were when a call was begun.
struct PodParts {
  kube::SpecParts spec;
  std::uint64_t metadata = 0;  // user_metadata_hash()
};

class ToldParts {
 public:
  // The provider has these parts as they are in `now`.
  void accept(std::uint64_t parts, const PodParts& now);
  // It was told and will not have them; again only once they have changed.
  void refuse(std::uint64_t parts, const PodParts& now);
  // What it has of these parts is not known any more.
  void forget(std::uint64_t parts);
  // The pod is like that now. Who takes back what was turned down may ask for it anew later.
  void note_wanted(const PodParts& now);

  // What differs from what the provider has, and was not turned down.
  [[nodiscard]] std::uint64_t changed(const PodParts& now) const;
  // Parts of which it is known what the provider has.
  [[nodiscard]] std::uint64_t known() const { return known_; }
  // Turned down as they are in `now`, in this process or before.
  [[nodiscard]] std::uint64_t refused(const PodParts& now) const;

  // For the annotation; empty when nothing is known that could spare an update. `supported` are the
  // provider's capabilities, `generation` that of the spec which it has been told.
  [[nodiscard]] std::string text(std::uint64_t supported, std::int64_t generation) const;
  // From the annotation of an earlier process, if it speaks of `pod`. What was turned down then is
  // asked once more where the provider supports it: it may have learned it meanwhile.
  void restore(const kube::PodRecord& pod, std::uint64_t supported);

 private:
  static constexpr std::size_t kCount = 5;
  using Hashes = std::array<std::uint64_t, kCount>;

  static Hashes hashes_of(const PodParts& parts);
  void read(std::string_view text);

  Hashes accepted_{};
  Hashes refused_{};
  std::uint64_t known_ = 0;      // parts with an accepted_ hash
  std::uint64_t refusals_ = 0;   // parts with a refused_ hash
  std::uint64_t ask_again_ = 0;  // of these
};

}  // namespace vkhost::pods
