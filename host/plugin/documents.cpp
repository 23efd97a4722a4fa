#include "plugin/documents.hpp"

#include "base/json_text.hpp"
#include "plugin/settings_schema.hpp"

#include <Poco/Dynamic/Var.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <array>
#include <sstream>

namespace vkhost::plugin {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxLogFields = 32;
constexpr std::size_t kMaxAnnotations = 64;

bool is_lower_or_digit(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
}
bool is_letter_or_digit(char letter) {
  return is_lower_or_digit(letter) || (letter >= 'A' && letter <= 'Z');
}

// ---- Members of an object, with a sentence when one has the wrong type ----

// Poco throws for what the validator let through and for wrong types; here that becomes a status.
template <typename Read>
auto reading(std::string_view json, Read read) -> decltype(read(Object::Ptr())) {
  VKHOST_TRY(validate_json_object(json, kMaxDepth));
  try {
    return read(Poco::JSON::Parser().parse(std::string(json)).extract<Object::Ptr>());
  } catch (const Poco::Exception& error) {
    return invalid_argument(error.displayText());
  }
}

Status wrong(const std::string& member, const std::string& wanted) {
  return invalid_argument("member " + member + " must be " + wanted);
}

Status read_string(const Object& from, const std::string& member, std::string& into) {
  const Var value = from.get(member);
  if (value.isEmpty()) {
    return Status::ok();
  }
  if (!value.isString()) {
    return wrong(member, "a string");
  }
  into = value.toString();
  return Status::ok();
}

Status read_bool(const Object& from, const std::string& member, bool& into) {
  const Var value = from.get(member);
  if (value.isEmpty()) {
    return Status::ok();
  }
  if (value.type() != typeid(bool)) {
    return wrong(member, "true or false");
  }
  into = value.extract<bool>();
  return Status::ok();
}

Status read_count(const Object& from, const std::string& member, std::int64_t& into) {
  const Var value = from.get(member);
  if (value.isEmpty()) {
    return Status::ok();
  }
  if (!value.isInteger() || value.type() == typeid(bool) || value.convert<Poco::Int64>() < 1) {
    return wrong(member, "an integer above 0");
  }
  into = value.convert<Poco::Int64>();
  return Status::ok();
}

Status read_strings(const Object& from,
                    const std::string& member,
                    std::optional<std::vector<std::string>>& into) {
  const Var value = from.get(member);
  if (value.isEmpty()) {
    return Status::ok();
  }
  if (value.type() != typeid(Array::Ptr)) {
    return wrong(member, "an array of strings");
  }
  into.emplace();
  for (const Var& item : *value.extract<Array::Ptr>()) {
    if (!item.isString()) {
      return wrong(member, "an array of strings");
    }
    into->push_back(item.toString());
  }
  return Status::ok();
}

Status read_string_map(const Object& from,
                       const std::string& member,
                       std::map<std::string, std::string>& into) {
  const Var value = from.get(member);
  if (value.isEmpty()) {
    return Status::ok();
  }
  if (value.type() != typeid(Object::Ptr)) {
    return wrong(member, "an object of strings");
  }
  for (const auto& [key, text] : *value.extract<Object::Ptr>()) {
    if (!text.isString() || key.empty()) {
      return wrong(member, "an object of strings");
    }
    into.emplace(key, text.toString());
  }
  return Status::ok();
}

Status read_object_text(const Object& from, const std::string& member, std::string& into) {
  const Var value = from.get(member);
  if (value.isEmpty()) {
    return Status::ok();
  }
  if (value.type() != typeid(Object::Ptr)) {
    return wrong(member, "an object");
  }
  std::ostringstream text;
  value.extract<Object::Ptr>()->stringify(text);
  into = text.str();
  return Status::ok();
}

// ---- describe ----

Status check_name(const std::string& name) {
  const bool fits = !name.empty() && name.size() <= 64 && is_lower_or_digit(name.front()) &&
                    std::all_of(name.begin(), name.end(), [](char letter) {
                      return is_lower_or_digit(letter) || letter == '-' || letter == '_';
                    });
  return fits ? Status::ok() : wrong("name", "a word of lower-case letters, digits, - and _");
}

bool is_dns_name(std::string_view name) {
  const bool letters = std::all_of(name.begin(), name.end(), [](char letter) {
    return is_lower_or_digit(letter) || letter == '-' || letter == '.';
  });
  return letters && !name.empty() && name.size() <= 253 &&
         name.find('.') != std::string_view::npos && is_lower_or_digit(name.front()) &&
         is_lower_or_digit(name.back());
}

bool is_within(std::string_view name, std::string_view domain) {
  return name == domain || (name.size() > domain.size() && name.ends_with(domain) &&
                            name[name.size() - domain.size() - 1] == '.');
}

// A domain with its slash, and perhaps the beginning of a name: never what belongs to Kubernetes.
Status check_annotation_prefix(const std::string& prefix) {
  const std::size_t slash = prefix.find('/');
  const std::string_view domain = std::string_view(prefix).substr(0, slash);
  if (slash == std::string::npos || !is_dns_name(domain)) {
    return wrong("annotation_prefixes", "an array of prefixes like \"ec2.example.com/\"; \"" +
                                            prefix + "\" has no domain with a slash");
  }
  if (is_within(domain, "kubernetes.io") || is_within(domain, "k8s.io")) {
    return invalid_argument("member annotation_prefixes: \"" + prefix +
                            "\" belongs to Kubernetes; use a domain of your own");
  }
  return Status::ok();
}

Status check_metric_prefix(const std::string& prefix) {
  const bool fits = !prefix.empty() && prefix.size() <= 64 && !(prefix.front() <= '9') &&
                    std::all_of(prefix.begin(), prefix.end(), [](char letter) {
                      return is_letter_or_digit(letter) || letter == '_';
                    });
  return fits ? Status::ok()
              : wrong("metric_prefixes", "an array of prefixes like \"vkhost_ec2_\"");
}

Result<PluginDescription> description_of(const Object& from) {
  PluginDescription description;
  VKHOST_TRY(read_string(from, "name", description.name));
  VKHOST_TRY(check_name(description.name));
  VKHOST_TRY(read_string(from, "version", description.version));
  if (description.version.empty()) {
    return wrong("version", "a string that is not empty");
  }
  VKHOST_TRY(read_string(from, "vendor", description.vendor));
  VKHOST_TRY(read_string(from, "license", description.license));
  VKHOST_TRY(read_object_text(from, "settings_schema", description.settings_schema));
  if (!description.settings_schema.empty()) {
    VKHOST_TRY(check_settings_schema(description.settings_schema));
  }
  VKHOST_TRY(read_string_map(from, "settings_aliases", description.settings_aliases));
  VKHOST_TRY(read_string_map(from, "settings_env", description.settings_env));
  std::optional<std::vector<std::string>> prefixes;
  VKHOST_TRY(read_strings(from, "annotation_prefixes", prefixes));
  description.annotation_prefixes =
      std::exchange(prefixes, {}).value_or(std::vector<std::string>{});
  for (const std::string& prefix : description.annotation_prefixes) {
    VKHOST_TRY(check_annotation_prefix(prefix));
  }
  VKHOST_TRY(read_strings(from, "metric_prefixes", prefixes));
  description.metric_prefixes = std::move(prefixes).value_or(std::vector<std::string>{});
  for (const std::string& prefix : description.metric_prefixes) {
    VKHOST_TRY(check_metric_prefix(prefix));
  }
  return description;
}

// ---- capabilities ----

std::uint64_t update_bit(const std::string& name) {
  struct Bit {
    std::string_view name;
    std::uint64_t value;
  };
  constexpr std::array<Bit, 8> kBits = {{{"metadata", kChangedMetadata},
                                         {"image", kChangedImage},
                                         {"resources", kChangedResources},
                                         {"ephemeral_containers", kChangedEphemeralContainers},
                                         {"deadline", kChangedDeadline},
                                         {"files", kChangedFiles},
                                         {"tokens", kChangedTokens},
                                         {"pull_credentials", kChangedPullCredentials}}};
  const auto* bit =
      std::find_if(kBits.begin(), kBits.end(), [&](const Bit& it) { return it.name == name; });
  return bit == kBits.end() ? 0 : bit->value;  // a name of a later version is no bit of ours
}

Status read_status_updates(const Object& from, Capabilities& into) {
  std::string updates = "poll";
  VKHOST_TRY(read_string(from, "status_updates", updates));
  if (updates != "push" && updates != "poll") {
    return wrong("status_updates", "\"push\" or \"poll\"");
  }
  into.pushes = updates == "push";
  std::int64_t interval_ms = into.poll_interval.count();
  VKHOST_TRY(read_count(from, "poll_interval_ms", interval_ms));
  into.poll_interval = std::chrono::milliseconds(
      std::clamp<std::int64_t>(interval_ms, 100, std::int64_t{3600} * 1000));
  return Status::ok();
}

Status read_material(const Object& from, Capabilities& into) {
  std::optional<std::vector<std::string>> kinds;
  VKHOST_TRY(read_strings(from, "material", kinds));
  if (kinds) {
    const auto uses = [&](std::string_view kind) {
      return std::find(kinds->begin(), kinds->end(), kind) != kinds->end();
    };
    into.uses_env = uses("env");
    into.uses_files = uses("files");
    into.uses_storage = uses("storage");
    into.uses_tokens = uses("tokens");
    into.uses_pull_credentials = uses("pull_credentials");
  }
  return Status::ok();
}

Status read_reserve(const Object& from, Capabilities& into) {
  std::string reserve = "addresses";
  VKHOST_TRY(read_string(from, "reserve", reserve));
  into.reserves_always = reserve == "always";
  return reserve == "addresses" || reserve == "always"
             ? Status::ok()
             : wrong("reserve", "\"addresses\" or \"always\"");
}

Status read_secret_annotations(const Object& from, Capabilities& into) {
  std::optional<std::vector<std::string>> keys;
  VKHOST_TRY(read_strings(from, "secret_annotations", keys));
  into.secret_annotations = std::move(keys).value_or(std::vector<std::string>{});
  return Status::ok();
}

// "spec.containers[].lifecycle"
bool is_field_path(std::string_view path) {
  constexpr std::size_t kMaxPath = 253;
  std::size_t letters = 0;  // of the member's name so far
  for (std::size_t at = 0; at < path.size(); ++at) {
    const char c = path[at];
    if (c == '[' && letters > 0 && path.substr(at, 2) == "[]" &&
        (at + 2 == path.size() || path[at + 2] == '.')) {
      ++at;
    } else if (c == '.' && letters > 0 && at + 1 < path.size()) {
      letters = 0;
    } else if (is_letter_or_digit(c)) {
      ++letters;
    } else {
      return false;
    }
  }
  return letters > 0 && path.size() <= kMaxPath;
}

Status read_fields(const Object& from, Capabilities& into) {
  constexpr std::size_t kMaxFields = 1024;
  if (!from.has("fields")) {
    return Status::ok();
  }
  const Object::Ptr fields = from.getObject("fields");
  if (fields.isNull()) {
    return wrong("fields", "an object");
  }
  if (fields->size() > kMaxFields) {
    return wrong("fields", "an object of at most 1024 members");
  }
  for (const auto& [path, fate] : *fields) {
    if (!is_field_path(path)) {
      return wrong("fields", "paths such as spec.containers[].lifecycle, not \"" + path + "\"");
    }
    const std::string word = fate.isString() ? fate.extract<std::string>() : std::string();
    if (word != "ignored" && word != "refused") {
      return wrong("fields." + path, "\"ignored\" or \"refused\"");
    }
    into.fields.push_back({path, word == "refused"});
  }
  return Status::ok();
}

Result<Capabilities> capabilities_of(const Object& from) {
  Capabilities capabilities;
  VKHOST_TRY(read_status_updates(from, capabilities));
  auto parallel = static_cast<std::int64_t>(capabilities.max_parallel_calls);
  VKHOST_TRY(read_count(from, "max_parallel_calls", parallel));
  capabilities.max_parallel_calls =
      static_cast<std::size_t>(std::min<std::int64_t>(parallel, 1024));
  std::optional<std::vector<std::string>> updates;
  VKHOST_TRY(read_strings(from, "updates", updates));
  for (const std::string& name : updates.value_or(std::vector<std::string>{})) {
    capabilities.updates |= update_bit(name);
  }
  VKHOST_TRY(read_material(from, capabilities));
  VKHOST_TRY(read_secret_annotations(from, capabilities));
  VKHOST_TRY(read_reserve(from, capabilities));
  VKHOST_TRY(read_bool(from, "names_node", capabilities.names_node));
  VKHOST_TRY(read_bool(from, "late_env", capabilities.late_env));
  VKHOST_TRY(read_bool(from, "native_probes", capabilities.native_probes));
  VKHOST_TRY(read_bool(from, "native_deadline", capabilities.native_deadline));
  VKHOST_TRY(read_fields(from, capabilities));
  return capabilities;
}

// ---- annotations ----

Status check_annotation_key(const std::string& key, const std::vector<std::string>& prefixes) {
  const bool declared = std::any_of(prefixes.begin(), prefixes.end(),
                                    [&](const auto& prefix) { return key.rfind(prefix, 0) == 0; });
  if (!declared) {
    return invalid_argument("annotation " + key +
                            " is not under a prefix that the plugin declared in describe");
  }
  const std::string_view name = std::string_view(key).substr(key.find('/') + 1);
  const bool fits =
      !name.empty() && name.size() <= 63 && is_letter_or_digit(name.front()) &&
      is_letter_or_digit(name.back()) && std::all_of(name.begin(), name.end(), [](char letter) {
        return is_letter_or_digit(letter) || letter == '-' || letter == '_' || letter == '.';
      });
  return fits ? Status::ok()
              : invalid_argument("annotation " + key + " is not a name that Kubernetes takes");
}

Result<Annotations> annotations_of(const Object& from, const std::vector<std::string>& prefixes) {
  Annotations annotations;
  if (from.size() > kMaxAnnotations) {
    return invalid_argument("more than " + std::to_string(kMaxAnnotations) + " annotations");
  }
  for (const auto& [key, value] : from) {
    VKHOST_TRY(check_annotation_key(key, prefixes));
    if (value.isEmpty()) {
      annotations.emplace(key, std::nullopt);
    } else if (value.isString()) {
      annotations.emplace(key, value.toString());
    } else {
      return invalid_argument("annotation " + key + " must be a string or null");
    }
  }
  return annotations;
}

}  // namespace

Result<PluginDescription> parse_description(std::string_view json) {
  return reading(json, [](const Object::Ptr& from) { return description_of(*from); });
}

Result<Capabilities> parse_capabilities(std::string_view json) {
  return reading(json, [](const Object::Ptr& from) { return capabilities_of(*from); });
}

Result<Annotations> parse_annotations(std::string_view json,
                                      const std::vector<std::string>& prefixes) {
  return reading(json, [&](const Object::Ptr& from) { return annotations_of(*from, prefixes); });
}

Result<std::vector<std::pair<std::string, std::string>>> parse_log_fields(std::string_view json) {
  using Fields = std::vector<std::pair<std::string, std::string>>;
  return reading(json, [](const Object::Ptr& from) -> Result<Fields> {
    Fields fields;
    for (const auto& [key, value] : *from) {
      if (fields.size() == kMaxLogFields) {
        break;
      }
      if (value.isEmpty() || value.type() == typeid(Object::Ptr) ||
          value.type() == typeid(Array::Ptr)) {
        return wrong(key, "a string, a number or a boolean");
      }
      fields.emplace_back(key, value.toString());
    }
    return fields;
  });
}

}  // namespace vkhost::plugin
