#include "resolve/pod_fields.hpp"

#include "base/joined.hpp"
#include "kube/json_cut.hpp"
#include "resolve/config_error.hpp"
#include "resolve/json_members.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace vkhost::resolve {
namespace {

using Poco::JSON::Object;

Status no_such_field(const std::string& path) {
  return spec_error("there is no field " + path + " for environment variables to refer to");
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name_part(std::string_view text) {
  constexpr std::size_t kMaxName = 63;
  return !text.empty() && text.size() <= kMaxName && is_alphanumeric(text.front()) &&
         is_alphanumeric(text.back()) && std::all_of(text.begin(), text.end(), [](char c) {
           return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
         });
}

bool is_subdomain(std::string_view text) {
  constexpr std::size_t kMaxSubdomain = 253;
  char before = '.';
  for (const char c : text) {
    const bool is_inner = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool is_label_end = c == '.' && before != '.' && before != '-';
    if (!is_inner && !is_label_end && !(c == '-' && before != '.')) {
      return false;
    }
    before = c;
  }
  return !text.empty() && text.size() <= kMaxSubdomain && before != '.' && before != '-';
}

struct CodePoints {
  std::uint32_t first;
  std::uint32_t last;
};
// Above ASCII and not printable: controls, formatting marks, spaces, private use, surrogates. The
// many unassigned ones are left out: which they are differs between versions of Unicode.
constexpr std::array<CodePoints, 19> kUnprintable = {{{0x80, 0xA0},
                                                      {0xAD, 0xAD},
                                                      {0x600, 0x605},
                                                      {0x61C, 0x61C},
                                                      {0x6DD, 0x6DD},
                                                      {0x70F, 0x70F},
                                                      {0x1680, 0x1680},
                                                      {0x180E, 0x180E},
                                                      {0x2000, 0x200F},
                                                      {0x2028, 0x202F},
                                                      {0x205F, 0x206F},
                                                      {0x3000, 0x3000},
                                                      {0xD800, 0xF8FF},
                                                      {0xFEFF, 0xFEFF},
                                                      {0xFFF0, 0xFFFB},
                                                      {0xFFFE, 0xFFFF},
                                                      {0x1D173, 0x1D17A},
                                                      {0xE0001, 0xE007F},
                                                      {0xF0000, 0x10FFFF}}};

bool is_printable(std::uint32_t code_point) {
  return std::none_of(kUnprintable.begin(), kUnprintable.end(), [&](const CodePoints& range) {
    return code_point >= range.first && code_point <= range.last;
  });
}

// The text is UTF-8, as it comes from a JSON document.
std::size_t sequence_length(unsigned char lead) {
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

std::uint32_t code_point_of(std::string_view sequence) {
  std::uint32_t code_point = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() > 1) {
    code_point &= 0x7FU >> sequence.size();
  }
  for (const char c : sequence.substr(1)) {
    code_point = (code_point << 6U) | (static_cast<unsigned char>(c) & 0x3FU);
  }
  return code_point;
}

void append_hex(std::string& out, char letter, int digits, std::uint32_t value) {
  std::array<char, 16> text{};
  const int size = std::snprintf(text.data(), text.size(), "\\%c%0*x", letter, digits, value);
  out.append(text.data(), static_cast<std::size_t>(size));
}

void append_quoted_ascii(std::string& out, char c) {
  constexpr std::string_view kNamed = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  if (const std::size_t at = kNamed.find(c); at != std::string_view::npos) {
    out += '\\';
    out += kLetters[at];
  } else if (c < ' ' || c == '\x7F') {
    append_hex(out, 'x', 2, static_cast<unsigned char>(c));
  } else {
    out += c;
  }
}

}  // namespace

std::string go_quoted(std::string_view text) {
  std::string quoted = "\"";
  std::size_t length = 0;
  for (std::size_t at = 0; at < text.size(); at += length) {
    length = std::min(sequence_length(static_cast<unsigned char>(text[at])), text.size() - at);
    if (length == 1) {
      append_quoted_ascii(quoted, text[at]);
      continue;
    }
    const std::string_view sequence = text.substr(at, length);
    const std::uint32_t code_point = code_point_of(sequence);
    if (is_printable(code_point)) {
      quoted += sequence;
    } else if (code_point <= 0xFFFF) {
      append_hex(quoted, 'u', 4, code_point);
    } else {
      append_hex(quoted, 'U', 8, code_point);
    }
  }
  return quoted + '"';
}

bool is_qualified_name(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return is_name_part(text);
  }
  return is_subdomain(text.substr(0, slash)) && is_name_part(text.substr(slash + 1));
}

Result<FieldValue> PodFields::read(const FieldReference& reference) {
  if (!reference.api_version.empty() && reference.api_version != "v1") {
    return spec_error("fields are those of apiVersion v1, not " + reference.api_version);
  }
  const std::string& path = reference.path;
  if (path == "metadata.name") {
    return FieldValue{pod_.name};
  }
  if (path == "metadata.namespace") {
    return FieldValue{pod_.pod_namespace};
  }
  if (path == "metadata.uid") {
    return FieldValue{pod_.uid};
  }
  if (path == "spec.nodeName" || path == "spec.host") {
    return FieldValue{pod_.node_name};
  }
  if (path == "spec.serviceAccountName") {
    return FieldValue{view_.service_account};
  }
  if (path.starts_with("metadata.")) {
    return labels_or_annotations(path);
  }
  return address(path);
}

Result<FieldValue> PodFields::labels_or_annotations(std::string_view path) {
  const std::size_t bracket = path.find("['");
  if (path.ends_with("']") && bracket != std::string_view::npos) {
    const std::string_view key = path.substr(bracket + 2, path.size() - bracket - 4);
    return one_of_map(path.substr(0, bracket), std::string(key));
  }
  if (path != "metadata.labels" && path != "metadata.annotations") {
    return no_such_field(std::string(path));
  }
  VKHOST_TRY_ASSIGN(const Labels* map, metadata_map(std::string(path.substr(path.find('.') + 1))));
  std::string lines;
  for (const auto& [key, value] : *map) {
    lines += (lines.empty() ? "" : "\n") + key + "=" + go_quoted(value);
  }
  return FieldValue{std::move(lines)};
}

Result<FieldValue> PodFields::one_of_map(std::string_view path, const std::string& key) {
  const bool is_annotation = path == "metadata.annotations";
  if (!is_annotation && path != "metadata.labels") {
    return spec_error("the field " + std::string(path) + " has no members to choose from");
  }
  std::string checked = key;
  if (is_annotation) {  // their keys may be in upper case, which a domain is not
    std::transform(checked.begin(), checked.end(), checked.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
  }
  if (!is_qualified_name(checked)) {
    return spec_error("\"" + key + "\" cannot be the key of a label or annotation");
  }
  VKHOST_TRY_ASSIGN(const Labels* map, metadata_map(is_annotation ? "annotations" : "labels"));
  const auto found = map->find(key);
  return FieldValue{found == map->end() ? std::string() : found->second};
}

Result<const PodFields::Labels*> PodFields::metadata_map(const std::string& member) {
  const auto known = maps_.find(member);
  if (known != maps_.end()) {
    return &known->second;
  }
  Labels labels;
  const std::string_view metadata = kube::find_member(pod_.raw, "metadata");
  VKHOST_TRY_ASSIGN(const auto document, parse_json_object(metadata, "the pod's metadata"));
  const Place place("metadata");
  VKHOST_TRY_ASSIGN(const auto object, read_object(*document, member, place));
  if (!object.isNull()) {
    const Place member_place(place, member);
    for (const auto& entry : *object) {
      // The host writes these after each update: a file that held them would never be up to date.
      if (kube::is_host_annotation(entry.first)) {
        continue;
      }
      VKHOST_TRY_ASSIGN(auto value, read_string(*object, entry.first, member_place));
      labels.emplace(entry.first, std::move(value));
    }
  }
  return &maps_.emplace(member, std::move(labels)).first->second;
}

Result<FieldValue> PodFields::address(const std::string& path) {
  const bool is_host = path == "status.hostIP" || path == "status.hostIPs";
  const bool is_pod = path == "status.podIP" || path == "status.podIPs";
  if (!is_host && !is_pod) {
    return no_such_field(path);
  }
  if (is_pod && addresses_ == PodAddresses::Late) {
    return FieldValue{{}, true};
  }
  std::vector<std::string> addresses;
  if (is_host) {
    VKHOST_TRY_ASSIGN(addresses, status_addresses("hostIP", "hostIPs", "ip"));
    if (addresses.empty()) {
      addresses = node_.host_ips();
    }
    if (addresses.empty()) {
      return config_error("the address of the node is not known yet, so " + path + " has no value");
    }
  } else {
    VKHOST_TRY_ASSIGN(addresses, status_addresses("podIP", "podIPs", "ip"));
    if (addresses.empty()) {
      return config_error("the pod has no address before it runs, and this provider cannot fill " +
                          path + " in later: remove the variable, or use another provider");
    }
  }
  return FieldValue{path.back() == 's' ? joined(addresses, ",") : addresses.front()};
}

Result<std::vector<std::string>> PodFields::status_addresses(const std::string& single,
                                                             const std::string& plural,
                                                             const std::string& item) const {
  std::vector<std::string> addresses;
  VKHOST_TRY_ASSIGN(const auto status, parse_json_object(pod_.status_json(), "the pod's status"));
  const Place place("status");
  VKHOST_TRY_ASSIGN(const auto list, read_array(*status, plural, place));
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
    const Place item_place(place, plural, i);
    VKHOST_TRY_ASSIGN(const auto entry, object_at(*list, i, item_place));
    VKHOST_TRY_ASSIGN(auto text, read_string(*entry, item, item_place));
    if (!text.empty()) {
      addresses.push_back(std::move(text));
    }
  }
  if (addresses.empty()) {
    VKHOST_TRY_ASSIGN(auto text, read_string(*status, single, place));
    if (!text.empty()) {
      addresses.push_back(std::move(text));
    }
  }
  return addresses;
}

}  // namespace vkhost::resolve
