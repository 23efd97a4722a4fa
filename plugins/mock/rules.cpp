#include "rules.hpp"

#include <vkhost/provider.hpp>

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <utility>

namespace vkhost::mock {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw sdk::Error(sdk::Code::InvalidArgument, "InvalidRule", message)
      .never_retry()
      .with_effect(sdk::Effect::None);
}

// ---- Words of rules and annotations ----

template <class Value>
struct Word {
  std::string_view text;
  Value value;
};

template <class Value, std::size_t Count>
Value find_word(const std::array<Word<Value>, Count>& words, std::string_view text) {
  std::string known;
  for (const auto& word : words) {
    if (word.text == text) {
      return word.value;
    }
    known += (known.empty() ? "" : ", ") + std::string(word.text);
  }
  refuse("'" + std::string(text) + "' is none of " + known);
}

constexpr std::array<Word<std::int32_t>, 16> kCodes{
    {{"cancelled", VKP_CANCELLED},
     {"unknown", VKP_UNKNOWN},
     {"invalid_argument", VKP_INVALID_ARGUMENT},
     {"deadline_exceeded", VKP_DEADLINE_EXCEEDED},
     {"not_found", VKP_NOT_FOUND},
     {"already_exists", VKP_ALREADY_EXISTS},
     {"permission_denied", VKP_PERMISSION_DENIED},
     {"resource_exhausted", VKP_RESOURCE_EXHAUSTED},
     {"failed_precondition", VKP_FAILED_PRECONDITION},
     {"aborted", VKP_ABORTED},
     {"out_of_range", VKP_OUT_OF_RANGE},
     {"unimplemented", VKP_UNIMPLEMENTED},
     {"internal", VKP_INTERNAL},
     {"unavailable", VKP_UNAVAILABLE},
     {"data_loss", VKP_DATA_LOSS},
     {"unauthenticated", VKP_UNAUTHENTICATED}}};
constexpr std::array<Word<std::int32_t>, 3> kRetries{
    {{"backoff", VKP_RETRY_BACKOFF}, {"after", VKP_RETRY_AFTER}, {"never", VKP_RETRY_NEVER}}};
constexpr std::array<Word<std::int32_t>, 3> kEffects{{{"unknown", VKP_EFFECT_UNKNOWN},
                                                      {"none", VKP_EFFECT_NONE},
                                                      {"happened", VKP_EFFECT_HAPPENED}}};
constexpr std::array<Word<std::int32_t>, 2> kScopes{
    {{"pod", VKP_SCOPE_POD}, {"provider", VKP_SCOPE_PROVIDER}}};
constexpr std::array<Word<FailStage>, 2> kStages{
    {{"create", FailStage::Create}, {"start", FailStage::Start}}};
constexpr std::array<Word<Lie>, 3> kLies{{{"nonsense", Lie::Nonsense},
                                          {"wrong_containers", Lie::WrongContainers},
                                          {"old_seq", Lie::OldSeq}}};

constexpr std::array<Word<std::int32_t>, 4> kUpdates{{{"deferred", VKP_UPDATE_DEFERRED},
                                                      {"applied", VKP_UPDATE_APPLIED},
                                                      {"infeasible", VKP_UPDATE_INFEASIBLE},
                                                      {"unsupported", VKP_UPDATE_UNSUPPORTED}}};

UpdateFate default_update() {
  UpdateFate update;
  update.message = "a rule of the mock provider says so";
  return update;
}

Fault default_fault() {
  Fault fault;
  fault.code = VKP_UNAVAILABLE;
  fault.reason = "MockFault";
  fault.message = "a rule of the mock provider lets this fail";
  fault.effect = VKP_EFFECT_NONE;
  return fault;
}

// ---- Rules ----

Fault parse_fault(const Json& json) {
  Fault fault = default_fault();
  fault.stage = find_word(kStages, json["stage"].text("create"));
  fault.code = find_word(kCodes, json["code"].text("unavailable"));
  fault.reason = json["reason"].text(fault.reason);
  fault.message = json["message"].text(fault.message);
  fault.retry_after = json["retry_after_ms"].number();
  fault.retry =
      find_word(kRetries, json["retry"].text(fault.retry_after > 0 ? "after" : "backoff"));
  fault.effect = find_word(kEffects, json["effect"].text("none"));
  fault.scope = find_word(kScopes, json["scope"].text("pod"));
  fault.tries = json["tries"].number();
  return fault;
}

Hang parse_hang(const Json& json) {
  return {json["for_ms"].number(), json["ignore_cancel"].boolean(), json["tries"].number()};
}

Exit parse_exit(const Json& json) {
  Exit exit;
  exit.code = static_cast<int>(json["code"].number());
  exit.after = json["after_ms"].number();
  exit.times = json["times"].number();
  exit.restart_delay = json["restart_delay_ms"].number(exit.restart_delay);
  exit.container = json["container"].text();
  return exit;
}

Evict default_eviction() {
  return {0, "MockEviction", "a rule of the mock provider wants this pod to go", std::nullopt};
}

UpdateFate parse_update(const Json& json) {
  UpdateFate update = default_update();
  update.image = find_word(kUpdates, json["image"].text("applied"));
  update.resources = find_word(kUpdates, json["resources"].text("applied"));
  update.ephemeral_containers = find_word(kUpdates, json["ephemeral_containers"].text("applied"));
  update.message = json["message"].text(update.message);
  return update;
}

std::optional<Millis> parse_millis(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional<Millis>(json.number());
}

Evict parse_eviction(const Json& json) {
  Evict evict = default_eviction();
  evict.after = json["after_ms"].number();
  evict.reason = json["reason"].text(evict.reason);
  evict.message = json["message"].text(evict.message);
  evict.grace = parse_millis(json["grace_ms"]);
  return evict;
}

Actions parse_actions(const Json& json) {
  Actions actions;
  actions.start_delay = parse_millis(json["start_delay_ms"]);
  actions.vanish_after = parse_millis(json["vanish_after_ms"]);
  actions.stop_delay = parse_millis(json["stop_delay_ms"]);
  actions.jitter = json["jitter_ms"].number();
  if (const Json fail = json["fail"]; !fail.is_null()) {
    actions.fail = parse_fault(fail);
  }
  if (const Json hang = json["hang"]; !hang.is_null()) {
    actions.hang = parse_hang(hang);
  }
  if (const Json exit = json["exit"]; !exit.is_null()) {
    actions.exit = parse_exit(exit);
  }
  if (const Json unready = json["unready"]; !unready.is_null()) {
    actions.unready = Unready{unready["after_ms"].number(), unready["for_ms"].number()};
  }
  if (const Json evict = json["evict"]; !evict.is_null()) {
    actions.evict = parse_eviction(evict);
  }
  if (const Json update = json["update"]; !update.is_null()) {
    actions.update = parse_update(update);
  }
  if (const Json lie = json["lie"]; !lie.is_null()) {
    actions.lie = find_word(kLies, lie.text());
  }
  return actions;
}

// ---- Annotations: the same in short ----

Millis parse_number(const std::string& text) {
  Millis number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  constexpr Millis kYear = Millis{366} * 24 * 3600 * 1000;
  if (error != std::errc() || stop != end || number < 0 || number > kYear) {
    refuse("'" + text + "' is not a number from 0 to " + std::to_string(kYear));
  }
  return number;
}

template <class Value>
Value& made(std::optional<Value>& value, Value fresh = {}) {
  return value ? *value : value.emplace(std::move(fresh));
}

using SetAction = void (*)(Actions&, const std::string&);
constexpr std::array<Word<SetAction>, 19> kAnnotations{{
    {"start-delay-ms", [](Actions& a, const std::string& v) { a.start_delay = parse_number(v); }},
    {"fail",
     [](Actions& a, const std::string& v) {
       made(a.fail, default_fault()).code = find_word(kCodes, v);
     }},
    {"fail-stage",
     [](Actions& a, const std::string& v) {
       made(a.fail, default_fault()).stage = find_word(kStages, v);
     }},
    {"fail-tries",
     [](Actions& a, const std::string& v) {
       made(a.fail, default_fault()).tries = parse_number(v);
     }},
    {"fail-retry",
     [](Actions& a, const std::string& v) {
       made(a.fail, default_fault()).retry = find_word(kRetries, v);
     }},
    {"hang-for-ms",
     [](Actions& a, const std::string& v) { made(a.hang).length = parse_number(v); }},
    {"exit-code",
     [](Actions& a, const std::string& v) {
       made(a.exit).code = static_cast<int>(std::min<Millis>(parse_number(v), 255));
     }},
    {"exit-after-ms",
     [](Actions& a, const std::string& v) { made(a.exit).after = parse_number(v); }},
    {"exit-times", [](Actions& a, const std::string& v) { made(a.exit).times = parse_number(v); }},
    {"unready-after-ms",
     [](Actions& a, const std::string& v) { made(a.unready).after = parse_number(v); }},
    {"unready-for-ms",
     [](Actions& a, const std::string& v) { made(a.unready).length = parse_number(v); }},
    {"vanish-after-ms", [](Actions& a, const std::string& v) { a.vanish_after = parse_number(v); }},
    {"evict-after-ms",
     [](Actions& a, const std::string& v) {
       made(a.evict, default_eviction()).after = parse_number(v);
     }},
    {"evict-grace-ms",
     [](Actions& a, const std::string& v) {
       made(a.evict, default_eviction()).grace = parse_number(v);
     }},
    {"stop-delay-ms", [](Actions& a, const std::string& v) { a.stop_delay = parse_number(v); }},
    {"lie", [](Actions& a, const std::string& v) { a.lie = find_word(kLies, v); }},
    {"update-image",
     [](Actions& a, const std::string& v) {
       made(a.update, default_update()).image = find_word(kUpdates, v);
     }},
    {"update-resources",
     [](Actions& a, const std::string& v) {
       made(a.update, default_update()).resources = find_word(kUpdates, v);
     }},
    {"update-ephemeral-containers",
     [](Actions& a, const std::string& v) {
       made(a.update, default_update()).ephemeral_containers = find_word(kUpdates, v);
     }},
}};

Actions actions_of_annotations(const Pod& pod) {
  Actions actions;
  for (const auto& [key, value] : pod.annotations) {
    if (key.compare(0, kAnnotationPrefix.size(), kAnnotationPrefix) == 0) {
      try {
        find_word(kAnnotations, std::string_view(key).substr(kAnnotationPrefix.size()))(actions,
                                                                                        value);
      } catch (const sdk::Error& error) {
        refuse("annotation " + key + ": " + error.what());
      }
    }
  }
  return actions;
}

// ---- Chance ----

// Pseudo-random numbers that depend on nothing but the seed and the pod (splitmix64).
class Dice {
 public:
  Dice(std::uint64_t seed, const Pod& pod) : state_(seed) {
    for (const char byte : pod.pod_namespace + '/' + pod.name) {
      state_ = (state_ ^ static_cast<unsigned char>(byte)) * 1'099'511'628'211U;
    }
  }
  // From 0 to `most`.
  Millis draw(Millis most) {
    state_ += 0x9E37'79B9'7F4A'7C15U;
    std::uint64_t mixed = (state_ ^ (state_ >> 30U)) * 0xBF58'476D'1CE4'E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D0'49BB'1331'11EBU;
    mixed ^= mixed >> 31U;
    return static_cast<Millis>(mixed % (static_cast<std::uint64_t>(most) + 1));
  }

 private:
  std::uint64_t state_;
};

void add_jitter(Actions& actions, Dice& dice) {
  // Drawn for each whether it is used or not, so that one action does not move the others.
  const std::array<Millis, 5> extra{dice.draw(actions.jitter), dice.draw(actions.jitter),
                                    dice.draw(actions.jitter), dice.draw(actions.jitter),
                                    dice.draw(actions.jitter)};
  if (actions.start_delay) {
    *actions.start_delay += extra[0];
  }
  if (actions.exit) {
    actions.exit->after += extra[1];
  }
  if (actions.unready) {
    actions.unready->after += extra[2];
  }
  if (actions.vanish_after) {
    *actions.vanish_after += extra[3];
  }
  if (actions.evict) {
    actions.evict->after += extra[4];
  }
}

template <class Value>
void take_if_first(std::optional<Value>& to, const std::optional<Value>& from) {
  if (!to) {
    to = from;
  }
}

bool glob_matches(const std::string& pattern, const std::string& text) {
  return pattern.empty() || fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

bool all_match(const std::map<std::string, std::string>& patterns,
               const std::map<std::string, std::string>& values) {
  return std::all_of(patterns.begin(), patterns.end(), [&](const auto& pattern) {
    const auto found = values.find(pattern.first);
    return found != values.end() && glob_matches(pattern.second, found->second);
  });
}

}  // namespace

std::string_view code_name(std::int32_t code) {
  for (const auto& word : kCodes) {
    if (word.value == code) {
      return word.text;
    }
  }
  return code == VKP_OK ? "ok" : "unknown";
}

Rule parse_rule(const Json& json) {
  const Json match = json["match"];
  Rule rule;
  rule.match = {match["namespace"].text(), match["name"].text(), match["image"].text(),
                match["labels"].texts(), match["annotations"].texts()};
  rule.actions = parse_actions(json);
  return rule;
}

PingFault parse_ping(const Json& json) {
  return {json["after_ms"].number(), json["for_ms"].number(), parse_fault(json)};
}

bool matches(const Match& match, const Pod& pod) {
  const bool image = match.image.empty() ||
                     std::any_of(pod.containers.begin(), pod.containers.end(),
                                 [&](const auto& c) { return glob_matches(match.image, c.image); });
  return image && glob_matches(match.pod_namespace, pod.pod_namespace) &&
         glob_matches(match.name, pod.name) && all_match(match.labels, pod.labels) &&
         all_match(match.annotations, pod.annotations);
}

Fate decide_fate(const std::vector<Rule>& rules, std::uint64_t seed, const Pod& pod) {
  Dice dice(seed, pod);
  Actions all = actions_of_annotations(pod);
  for (const Rule& rule : rules) {
    Actions actions = rule.actions;
    add_jitter(actions, dice);
    if (matches(rule.match, pod)) {
      take_if_first(all.start_delay, actions.start_delay);
      take_if_first(all.fail, actions.fail);
      take_if_first(all.hang, actions.hang);
      take_if_first(all.exit, actions.exit);
      take_if_first(all.unready, actions.unready);
      take_if_first(all.vanish_after, actions.vanish_after);
      take_if_first(all.evict, actions.evict);
      take_if_first(all.stop_delay, actions.stop_delay);
      take_if_first(all.lie, actions.lie);
      take_if_first(all.update, actions.update);
    }
  }
  Fate fate;
  fate.hang = all.hang;
  fate.update = all.update.value_or(UpdateFate{});
  fate.course.start_delay = all.start_delay.value_or(0);
  fate.course.exit = all.exit;
  fate.course.unready = all.unready;
  fate.course.vanish_after = all.vanish_after;
  fate.course.evict = all.evict;
  fate.course.stop_delay = all.stop_delay.value_or(0);
  fate.course.lie = all.lie.value_or(Lie::None);
  (all.fail && all.fail->stage == FailStage::Start ? fate.course.start_fault : fate.fail) =
      all.fail;
  return fate;
}

}  // namespace vkhost::mock
