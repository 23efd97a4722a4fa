#include "node/health.hpp"

#include <string>
#include <string_view>

namespace vkhost::node {
namespace {

Readiness not_ready(std::string_view fallback, const Status& status) {
  return {false, status.reason().empty() ? std::string(fallback) : status.reason(),
          status.message()};
}

}  // namespace

void Health::start_failed(const Status& why) {
  start_failure_ = why;
  start_refused_ = false;
}

void Health::start_refused(const Status& why) {
  start_failure_ = why;
  start_refused_ = true;
}

void Health::pods_ready() {
  start_failure_ = Status::ok();
  pods_ready_ = true;
}

bool Health::take_ping(const Status& answer) {
  const bool is_reachable = answer.is_ok() || answer.code() == StatusCode::ResourceExhausted;
  const bool may_be_a_moment =
      answer.code() == StatusCode::Unavailable || answer.code() == StatusCode::DeadlineExceeded;
  missed_pings_ = is_reachable ? 0 : missed_pings_ + 1;
  answered_pings_ = is_reachable ? answered_pings_ + 1 : 0;
  if (is_reachable) {
    // Who was gone may be gone again the next moment.
    if (!ping_.is_ok() && answered_pings_ < 2) {
      return false;
    }
    ping_ = Status::ok();
    pinged_ = true;
    return true;
  }
  // A daemon that has just started doesn't know what the provider was like before.
  if (may_be_a_moment && ping_.is_ok() && missed_pings_ < ping_failures_) {
    return false;
  }
  ping_ = answer;
  pinged_ = true;
  return true;
}

Readiness Health::readiness() const {
  if (is_shut_down_) {
    return {false, "NodeShutdown", "the daemon of this node is stopping"};
  }
  if (!start_failure_.is_ok()) {
    return not_ready(start_refused_ ? "ProviderRefused" : "ProviderNotStarted", start_failure_);
  }
  if (!pods_ready_) {
    return {false, "PodsNotRecovered", "the pods of this node have not been recovered yet"};
  }
  if (!pinged_) {
    return {false, "ProviderUnknown", "the provider has not answered its first ping yet"};
  }
  if (!ping_.is_ok()) {
    return not_ready("ProviderUnreachable", ping_);
  }
  // Being over a quota concerns what is new: what runs must not be evicted for it.
  const bool is_full = fault_.code() == StatusCode::ResourceExhausted;
  if (!fault_.is_ok() && !is_full) {
    return not_ready("ProviderFault", fault_);
  }
  if (!self_check_.is_ok()) {
    return not_ready("KubeletUnreachable", self_check_);
  }
  return {true, "KubeletReady",
          is_full ? "Kubelet is ready; the provider takes nothing new: " + fault_.message()
                  : "Kubelet is ready"};
}

}  // namespace vkhost::node
