#include "settings.hpp"

#include "json.hpp"

#include <vkhost/provider.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace vkhost::mock {
namespace {

// Durations and counts end at a year, so that no sum of them overflows.
constexpr std::string_view kSchema = R"json({
  "type": "object",
  "description": "Settings of the mock provider. A table with the name of a node replaces what that node offers.",
  "additionalProperties": {
    "type": "object",
    "x-reloadable": true,
    "additionalProperties": false,
    "properties": {
      "cpu": {"type": "string", "default": "20"},
      "memory": {"type": "string", "default": "100Gi"},
      "pods": {"type": "string", "default": "20"},
      "others": {"type": "object", "additionalProperties": {"type": "string"}},
      "provider_id": {"type": "string"},
      "providerID": {"type": "string", "description": "The same, as earlier versions spell it."}
    }
  },
  "properties": {
    "cpu": {"type": "string", "default": "20", "x-reloadable": true, "description": "CPUs of the node, a Kubernetes quantity."},
    "memory": {"type": "string", "default": "100Gi", "x-reloadable": true, "description": "Memory of the node, a Kubernetes quantity."},
    "pods": {"type": "string", "default": "20", "x-reloadable": true, "description": "How many pods the node takes, a Kubernetes quantity."},
    "others": {"type": "object", "x-reloadable": true, "additionalProperties": {"type": "string"}, "description": "Further resources of the node: name to quantity."},
    "provider_id": {"type": "string", "description": "spec.providerID of the node."},
    "labels": {"type": "object", "x-reloadable": true, "additionalProperties": {"type": "string"}, "description": "Further labels of the node."},
    "api_key": {"type": "string", "x-secret": true, "x-reloadable": true, "default": "", "description": "A key for a back end that is not there. One that begins with 'expired' is refused: creates fail for the whole account until there is another."},
    "pod_cidr": {"type": "string", "default": "198.18.0.0/15", "description": "IPv4 range of the pods' addresses, which lead nowhere."},
    "state_dir": {"type": "string", "default": "", "description": "Folder that keeps the workloads and the log of calls; empty: in memory only."},
    "seed": {"type": "integer", "minimum": 0, "default": 1, "description": "Begin of all chance: the same seed gives the same delays."},
    "max_parallel_calls": {"type": "integer", "minimum": 1, "maximum": 1024, "default": 64, "description": "Creates and updates that the host may begin at once."},
    "save_handle": {"type": "boolean", "default": false, "description": "The host saves each handle before the workload is made, and not with the first status."},
    "material": {"type": "array", "items": {"type": "string", "enum": ["env", "files", "storage", "tokens", "pull_credentials"]}, "default": [], "description": "Kinds of material to ask the host for, although the mock uses none."},
    "keep_material": {"type": "string", "enum": ["none", "hashes", "all"], "default": "none", "description": "What of the material stays in state_dir, for tests: nothing, with digests for all texts, or all of it, secrets included."},
    "updates": {"type": "array", "items": {"type": "string", "enum": ["metadata", "image", "resources", "ephemeral_containers", "deadline", "files", "tokens", "pull_credentials"]}, "default": ["image", "resources", "ephemeral_containers"], "description": "Changes of a pod that the mock wants to be told of."},
    "late_env": {"type": "boolean", "default": false, "description": "Variables that name an address of the pod are left to the mock."},
    "ping": {
      "type": "object",
      "x-reloadable": true,
      "additionalProperties": false,
      "description": "Pings fail, so that the node is not ready.",
      "properties": {
        "after_ms": {"type": "integer", "minimum": 0, "maximum": 31622400000, "description": "So long after the start."},
        "for_ms": {"type": "integer", "minimum": 0, "maximum": 31622400000, "description": "Then they succeed again; 0: never."},
        "code": {"type": "string", "enum": ["cancelled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists", "permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented", "internal", "unavailable", "data_loss", "unauthenticated"]},
        "reason": {"type": "string"},
        "message": {"type": "string"}
      }
    },
    "rules": {
      "type": "array",
      "x-reloadable": true,
      "default": [],
      "description": "Which pods meet which fate. Of all rules that match a pod, for each kind of event the first that names it counts.",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "match": {
            "type": "object",
            "additionalProperties": false,
            "description": "Shell globs that all have to match; what is left out matches every pod.",
            "properties": {
              "namespace": {"type": "string"},
              "name": {"type": "string"},
              "image": {"type": "string", "description": "Of any container."},
              "labels": {"type": "object", "additionalProperties": {"type": "string"}},
              "annotations": {"type": "object", "additionalProperties": {"type": "string"}}
            }
          },
          "jitter_ms": {"type": "integer", "minimum": 0, "maximum": 31622400000, "description": "Each delay of this rule grows by a random part of this."},
          "start_delay_ms": {"type": "integer", "minimum": 0, "maximum": 31622400000, "description": "The pod is Pending for so long."},
          "stop_delay_ms": {"type": "integer", "minimum": 0, "maximum": 31622400000, "description": "A deleted pod takes so long to end; killed (137) when its grace is shorter."},
          "vanish_after_ms": {"type": "integer", "minimum": 0, "maximum": 31622400000, "description": "So long after its start the workload is lost without a word."},
          "evict": {
            "type": "object",
            "additionalProperties": false,
            "description": "The host is asked to evict the pod.",
            "properties": {
              "after_ms": {"type": "integer", "minimum": 0, "maximum": 31622400000, "description": "So long after its start."},
              "reason": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9]{0,127}$"},
              "message": {"type": "string"},
              "grace_ms": {"type": "integer", "minimum": 0, "maximum": 31622400000, "description": "Left out: the pod's own grace."}
            }
          },
          "lie": {"type": "string", "enum": ["nonsense", "wrong_containers", "old_seq"], "description": "The status is not JSON, names containers of another pod, or is followed by an older one."},
          "update": {
            "type": "object",
            "additionalProperties": false,
            "description": "How changes of a pod are answered; left out: applied.",
            "properties": {
              "image": {"type": "string", "enum": ["applied", "deferred", "infeasible", "unsupported"]},
              "resources": {"type": "string", "enum": ["applied", "deferred", "infeasible", "unsupported"]},
              "ephemeral_containers": {"type": "string", "enum": ["applied", "deferred", "infeasible", "unsupported"]},
              "message": {"type": "string", "description": "Why it is not applied."}
            }
          },
          "fail": {
            "type": "object",
            "additionalProperties": false,
            "description": "Creates fail.",
            "properties": {
              "stage": {"type": "string", "enum": ["create", "start"], "description": "The call itself fails, or it succeeds and the failure follows when the pod should start."},
              "code": {"type": "string", "enum": ["cancelled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists", "permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented", "internal", "unavailable", "data_loss", "unauthenticated"]},
              "reason": {"type": "string"},
              "message": {"type": "string"},
              "retry": {"type": "string", "enum": ["backoff", "after", "never"]},
              "retry_after_ms": {"type": "integer", "minimum": 0, "maximum": 31622400000},
              "effect": {"type": "string", "enum": ["unknown", "none", "happened"], "description": "happened: the pod is created although the call fails."},
              "scope": {"type": "string", "enum": ["pod", "provider"]},
              "tries": {"type": "integer", "minimum": 0, "description": "So many creates of a pod fail; 0: all."}
            }
          },
          "hang": {
            "type": "object",
            "additionalProperties": false,
            "description": "Creates hang.",
            "properties": {
              "for_ms": {"type": "integer", "minimum": 0, "maximum": 31622400000, "description": "Then they go on; 0: until they are cancelled."},
              "ignore_cancel": {"type": "boolean", "description": "They do not return when they are cancelled; with for_ms 0 not before the daemon stops."},
              "tries": {"type": "integer", "minimum": 0, "description": "So many creates of a pod hang; 0: all."}
            }
          },
          "exit": {
            "type": "object",
            "additionalProperties": false,
            "description": "Containers end by themselves; restartPolicy decides what follows.",
            "properties": {
              "code": {"type": "integer", "minimum": 0, "maximum": 255},
              "after_ms": {"type": "integer", "minimum": 0, "maximum": 31622400000, "description": "How long a run takes."},
              "times": {"type": "integer", "minimum": 0, "description": "So many runs end and the next goes on; 0: all end."},
              "restart_delay_ms": {"type": "integer", "minimum": 100, "maximum": 31622400000, "description": "Until the next run begins; left out: 1000."},
              "container": {"type": "string", "description": "The one that ends; left out: all regular ones."}
            }
          },
          "unready": {
            "type": "object",
            "additionalProperties": false,
            "description": "The pod becomes unready.",
            "properties": {
              "after_ms": {"type": "integer", "minimum": 0, "maximum": 31622400000, "description": "So long after its start."},
              "for_ms": {"type": "integer", "minimum": 0, "maximum": 31622400000, "description": "Then it is ready again; 0: never."}
            }
          }
        }
      }
    }
  }
})json";

constexpr std::array<std::string_view, 18> kNames{"cpu",
                                                  "memory",
                                                  "pods",
                                                  "others",
                                                  "provider_id",
                                                  "labels",
                                                  "api_key",
                                                  "pod_cidr",
                                                  "state_dir",
                                                  "seed",
                                                  "max_parallel_calls",
                                                  "save_handle",
                                                  "material",
                                                  "keep_material",
                                                  "updates",
                                                  "late_env",
                                                  "ping",
                                                  "rules"};

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

// A Kubernetes quantity that is not negative: 20, 0.5, 500m, 100Gi, 1e3.
bool is_quantity(std::string_view text) {
  std::size_t digits = 0;
  std::size_t points = 0;
  while (!text.empty() && (is_digit(text.front()) || (text.front() == '.' && points == 0))) {
    (is_digit(text.front()) ? digits : points) += 1;
    text.remove_prefix(1);
  }
  if (digits == 0) {
    return false;
  }
  constexpr std::array<std::string_view, 16> kSuffixes{
      "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  if (std::find(kSuffixes.begin(), kSuffixes.end(), text) != kSuffixes.end()) {
    return true;
  }
  if (text.front() != 'e' && text.front() != 'E') {
    return false;
  }
  text.remove_prefix(text.size() > 1 && (text[1] == '+' || text[1] == '-') ? 2 : 1);
  return !text.empty() && text.size() <= 3 && std::all_of(text.begin(), text.end(), is_digit);
}

// One part of a JSON pointer (RFC 6901, section 3).
std::string pointer_part(std::string_view name) {
  std::string part = "/";
  for (const char byte : name) {
    part += byte == '~' ? "~0" : byte == '/' ? "~1" : std::string(1, byte);
  }
  return part;
}

class Reader {
 public:
  Reader(const Json& settings, std::vector<SettingProblem>& problems)
      : json_(settings), problems_(problems) {}

  Settings read() {
    Settings settings;
    settings.offer = read_offer(json_, "");
    settings.labels = json_["labels"].texts();
    settings.api_key = json_["api_key"].text();
    settings.pod_cidr = json_["pod_cidr"].text(settings.pod_cidr);
    settings.state_dir = json_["state_dir"].text();
    settings.seed = static_cast<std::uint64_t>(json_["seed"].number(1));
    settings.max_parallel_calls = json_["max_parallel_calls"].number(settings.max_parallel_calls);
    settings.save_handle = json_["save_handle"].boolean();
    settings.material = read_texts(json_["material"]);
    if (const Json updates = json_["updates"]; !updates.is_null()) {
      settings.updates = read_texts(updates);
    }
    settings.late_env = json_["late_env"].boolean();
    if (const Json ping = json_["ping"]; !ping.is_null()) {
      settings.ping = parse_ping(ping);
    }
    for (const auto& [name, value] : json_.members()) {
      if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
        settings.nodes[name] = read_offer(value, pointer_part(name));
      }
    }
    read_keep_material(settings);
    read_range(settings);
    read_rules(settings);
    return settings;
  }

 private:
  void problem(std::string pointer, std::string text) {
    problems_.push_back({std::move(pointer), std::move(text)});
  }

  static std::vector<std::string> read_texts(const Json& json) {
    std::vector<std::string> texts;
    for (const Json& item : json.elements()) {
      texts.push_back(item.text());
    }
    return texts;
  }

  std::string read_quantity(const Json& json,
                            const std::string& fallback,
                            const std::string& pointer,
                            std::string_view word) {
    std::string text = json.text(fallback);
    if (!is_quantity(text)) {
      problem(pointer, "invalid " + std::string(word) + " value \"" + text +
                           "\": it must be a Kubernetes quantity such as 20, 500m or 100Gi");
      return fallback;
    }
    return text;
  }

  Offer read_offer(const Json& json, const std::string& pointer) {
    Offer offer;
    offer.cpu = read_quantity(json["cpu"], offer.cpu, pointer + "/cpu", "CPU");
    offer.memory = read_quantity(json["memory"], offer.memory, pointer + "/memory", "memory");
    offer.pods = read_quantity(json["pods"], offer.pods, pointer + "/pods", "pods");
    for (const auto& [name, value] : json["others"].members()) {
      offer.others[name] =
          read_quantity(value, "0", pointer + "/others" + pointer_part(name), "other");
    }
    offer.provider_id = json["provider_id"].text(json["providerID"].text());
    return offer;
  }

  void read_keep_material(Settings& settings) {
    const std::string word = json_["keep_material"].text("none");
    if (word != "none" && settings.state_dir.empty()) {
      problem("/keep_material", "material is kept in the folder state_dir, which is not set");
    } else if (word == "all") {
      settings.keep_material = KeepMaterial::All;
    } else if (word == "hashes") {
      settings.keep_material = KeepMaterial::Hashes;
    }
  }

  void read_range(Settings& settings) {
    const auto range = parse_range(settings.pod_cidr);
    if (!range) {
      problem("/pod_cidr",
              "\"" + settings.pod_cidr +
                  "\" is not an IPv4 range of 4 to 2^24 addresses such as 198.18.0.0/15");
    }
    settings.pod_range = range.value_or(*parse_range(Settings().pod_cidr));
  }

  void read_rules(Settings& settings) {
    std::size_t index = 0;
    for (const Json& rule : json_["rules"].elements()) {
      try {
        settings.rules.push_back(parse_rule(rule));
      } catch (const sdk::Error& error) {
        problem("/rules/" + std::to_string(index), error.what());
      }
      ++index;
    }
  }

  const Json& json_;
  std::vector<SettingProblem>& problems_;
};

}  // namespace

std::string_view settings_schema() { return kSchema; }

std::string_view fixed_difference(const Settings& running, const Settings& wanted) {
  const std::array<std::pair<std::string_view, bool>, 10> fixed{{
      {"provider_id", running.offer.provider_id == wanted.offer.provider_id},
      {"pod_cidr", running.pod_cidr == wanted.pod_cidr},
      {"state_dir", running.state_dir == wanted.state_dir},
      {"seed", running.seed == wanted.seed},
      {"max_parallel_calls", running.max_parallel_calls == wanted.max_parallel_calls},
      {"save_handle", running.save_handle == wanted.save_handle},
      {"material", running.material == wanted.material},
      {"keep_material", running.keep_material == wanted.keep_material},
      {"updates", running.updates == wanted.updates},
      {"late_env", running.late_env == wanted.late_env},
  }};
  const auto* const found =
      std::find_if(fixed.begin(), fixed.end(), [](const auto& setting) { return !setting.second; });
  return found == fixed.end() ? std::string_view() : found->first;
}

Settings parse_settings(std::string_view json, std::vector<SettingProblem>& problems) {
  const Json document = Json::parse(json, "the configuration of the mock provider");
  return Reader(document, problems).read();
}

}  // namespace vkhost::mock
