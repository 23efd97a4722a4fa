#include "daemon/provider_reload.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace vkhost::daemon {
namespace {

constexpr std::string_view kReconfigure = "vkp.reconfigure/1";
// Asked no more often than files are looked at anyway.
constexpr BackoffLimits kReconfigureBackoff{std::chrono::seconds{10}, std::chrono::minutes{5}};

// A plugin without the extension takes nothing while it runs, whatever its schema says.
void leave_all_for_a_restart(plugin::SettingsChange& change, const Secret& running) {
  change.needs_restart.insert(change.needs_restart.end(), change.reloadable.begin(),
                              change.reloadable.end());
  std::sort(change.needs_restart.begin(), change.needs_restart.end());
  change.reloadable.clear();
  change.json = running;
}

}  // namespace

ProviderReload::ProviderReload(config::ProviderConfig config,
                               std::string key,
                               const ProviderSettings& running,
                               Parts parts)
    : config_(std::move(config)),
      key_(std::move(key)),
      parts_(std::move(parts)),
      target_(running.json) {
  files_.watch(running.files);
}

void ProviderReload::add(std::string node, Reconfigure reconfigure) {
  instances_.push_back({std::move(node), std::move(reconfigure), target_, std::nullopt});
}

std::optional<ProviderReload::Prepared> ProviderReload::prepare(
    const config::ProviderConfig& config,
    const std::string& key,
    config::Problems& problems) const {
  auto wanted =
      check_provider_settings(*parts_.library, config.settings, key, *parts_.outside, problems);
  if (!wanted) {
    return std::nullopt;
  }
  auto change = plugin::settings_change(parts_.library->description(), target_, wanted->json);
  if (!change.is_ok()) {
    problems.error(config.settings.locate(""), key, change.status().message());
    return std::nullopt;
  }
  if (!parts_.library->supports(kReconfigure)) {
    leave_all_for_a_restart(*change, target_);
  } else if (!change->needs_restart.empty() && !change->reloadable.empty()) {
    // Neither what runs nor what was written: nobody has judged it yet.
    const auto found = parts_.library->check_config(change->json.reveal(), {});
    const bool is_good = found.is_ok() && std::all_of(found->begin(), found->end(),
                                                      [](const plugin::ConfigProblem& problem) {
                                                        return problem.is_warning;
                                                      });
    if (!is_good) {
      leave_all_for_a_restart(*change, target_);  // they belong together
    }
  }
  return Prepared{config, key, std::move(*wanted), std::move(*change)};
}

void ProviderReload::apply(Prepared prepared) {
  name_what_takes_a_restart(prepared);
  config_ = std::move(prepared.config);
  key_ = std::move(prepared.key);
  files_.watch(prepared.wanted.files);
  if (!(prepared.change.json == target_)) {
    failures_ = 0;
    target_ = std::move(prepared.change.json);
  }
  hand_out();
}

void ProviderReload::name_what_takes_a_restart(const Prepared& prepared) const {
  for (const std::string& pointer : prepared.change.needs_restart) {
    const config::Problem change = problem_with_setting(
        prepared.wanted.checked, prepared.config.settings, prepared.key, {true, pointer, ""});
    parts_.log.warn("a changed setting takes a restart",
                    {{"key", change.key}, {"at", change.at.to_string()}});
  }
}

bool ProviderReload::is_behind(const Instance& instance) const {
  return !(instance.running == target_) && instance.refused != target_;
}

bool ProviderReload::is_pending() const {
  return std::any_of(instances_.begin(), instances_.end(),
                     [this](const Instance& instance) { return is_behind(instance); });
}

void ProviderReload::look() {
  if (files_.take_changes()) {
    look_at_files();
  }
  if (is_pending() && parts_.clock->steady_now() >= next_try_) {
    hand_out();
  }
}

void ProviderReload::look_at_files() {
  config::Problems problems;
  auto prepared = prepare(config_, key_, problems);
  if (!prepared) {
    parts_.log.warn(
        "a file that settings come from has changed and cannot be used; the present "
        "settings stay",
        {{"provider", config_.name}, {"problems", problems.to_string()}});
    return;
  }
  if (!prepared->change.reloadable.empty() || !prepared->change.needs_restart.empty()) {
    apply(std::move(*prepared));
  }
}

void ProviderReload::hand_out() {
  Status passing;
  for (Instance& instance : instances_) {
    const Status later = is_behind(instance) ? hand_to(instance) : Status::ok();
    passing = later.is_ok() ? passing : later;
    // Who hangs once, hangs for the others too; and a daemon that stops asks nobody any more.
    if (later.code() == StatusCode::DeadlineExceeded || later.code() == StatusCode::Cancelled) {
      break;
    }
  }
  failures_ = passing.is_ok() ? 0 : failures_ + 1;
  next_try_ = parts_.clock->steady_now() +
              std::max(backoff_delay(kReconfigureBackoff, failures_, *parts_.random),
                       passing.retry_after());
}

Status ProviderReload::hand_to(Instance& instance) {
  const Status taken = instance.reconfigure(target_);
  if (taken.is_ok()) {
    instance.running = target_;
    instance.refused.reset();
    parts_.log.info("the provider has taken its changed settings",
                    {{"provider", config_.name}, {"node", instance.node}});
    return taken;
  }
  const bool needs_restart =
      taken.code() == StatusCode::FailedPrecondition || taken.code() == StatusCode::Unimplemented;
  if (needs_restart || taken.code() == StatusCode::InvalidArgument ||
      taken.retry() == Retry::Never) {
    instance.refused = target_;
    parts_.log.warn(needs_restart
                        ? "the provider takes its changed settings at a restart only"
                        : "the provider refuses its changed settings; the present ones stay",
                    {{"provider", config_.name},
                     {"node", instance.node},
                     {"key", key_},
                     observe::error_field(taken)});
    return Status::ok();
  }
  if (taken.code() != StatusCode::Cancelled) {
    parts_.log.warn(
        "the provider has not taken its changed settings, it is asked again",
        {{"provider", config_.name}, {"node", instance.node}, observe::error_field(taken)});
  }
  return taken;
}

}  // namespace vkhost::daemon
