#include "resolve/tokens.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace vkhost::resolve {
namespace {

constexpr std::chrono::hours kLongestUse{24};
constexpr double kDuePart = 0.8;   // of the lifetime
constexpr double kEarlier = 0.05;  // of that, at most
// A renewal that fails all the time is in earnest when this part of the lifetime is left.
constexpr int kEarnestPart = 10;
constexpr BackoffLimits kRetries{std::chrono::seconds{1}, std::chrono::seconds{30}};
constexpr int kTriesInTheTimeLeft = 4;
// What else shows that time has leapt.
constexpr std::chrono::minutes kLookAnyway{1};
// What clocks are corrected by otherwise.
constexpr std::chrono::seconds kNoLeap{2};

WallTime::duration ahead_of_steady(const Clock& clock) {
  return clock.wall_now().time_since_epoch() - clock.steady_now().time_since_epoch();
}

}  // namespace

Tokens::Tokens(Parts parts)
    : parts_(std::move(parts)), wall_ahead_(ahead_of_steady(parts_.clock)) {}

Tokens::Key Tokens::key_of(const kube::TokenRequest& request) {
  return {request.pod_uid, request.audience, request.lifetime.count()};
}

// ---- For whoever makes a pod's material

Result<TokenPtr> Tokens::token(const kube::TokenRequest& request,
                               TokenUser* user,
                               const CancelToken& cancel) {
  const Key key = key_of(request);
  {
    const MutexLock lock(mutex_);
    notice_leap();
    if (TokenPtr known = usable(key, user)) {
      return known;
    }
  }
  const SteadyTime asked = parts_.clock.steady_now();
  auto answer = parts_.source.issue(request, cancel);
  TokenPtr token;
  std::optional<SteadyTime> next;
  {
    const MutexLock lock(mutex_);
    if (!answer) {
      token = still_valid(key, answer.status());
      return token == nullptr ? Result<TokenPtr>(answer.status()) : token;
    }
    if (const auto before = entries_.find(key); before != entries_.end()) {
      drop(before);  // and what somebody may just be renewing it with
    }
    const auto entry = std::make_shared<Entry>();
    entry->request = request;
    entry->user = user;
    fill(*entry, std::move(*answer), asked);
    entries_.emplace(key, entry);
    schedule(*entry);
    token = entry->token;
    next = look();
  }
  if (next && parts_.look_at) {
    parts_.look_at(*next);
  }
  return token;
}

// Null when a new one has to be issued.
TokenPtr Tokens::usable(const Key& key, TokenUser* user) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return nullptr;
  }
  const Entry& entry = *found->second;
  const SteadyTime now = parts_.clock.steady_now();
  // One that is renewed for its user is not renewed by asking as well.
  const bool is_fresh = now < entry.due || now < entry.retry || entry.user != nullptr;
  return entry.user == user && now < entry.expires && is_fresh ? entry.token : nullptr;
}

TokenPtr Tokens::still_valid(const Key& key, const Status& failure) {
  const auto found = entries_.find(key);
  if (found == entries_.end() || parts_.clock.steady_now() >= found->second->expires) {
    return nullptr;
  }
  note_failure(*found->second, failure);
  schedule(*found->second);
  return found->second->token;
}

void Tokens::fill(Entry& entry, kube::BoundToken token, SteadyTime asked) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  const Milliseconds use =
      std::min(kDuePart * Milliseconds(token.lifetime), Milliseconds(kLongestUse));
  entry.due = asked + std::chrono::duration_cast<std::chrono::milliseconds>(
                          use * (1 - kEarlier * parts_.random.next()));
  entry.expires = asked + token.lifetime;
  entry.token = std::make_shared<const kube::BoundToken>(std::move(token));
  entry.retry = {};
  entry.failures = 0;
  entry.was_warned_of = false;
}

void Tokens::forget(const std::string& pod_uid) {
  const MutexLock lock(mutex_);
  auto at =
      entries_.lower_bound(Key(pod_uid, std::string(), std::numeric_limits<std::int64_t>::min()));
  while (at != entries_.end() && std::get<0>(at->first) == pod_uid) {
    at = drop(at);
  }
}

void Tokens::leave(const TokenUser& user) {
  const MutexLock lock(mutex_);
  for (auto at = entries_.begin(); at != entries_.end();) {
    at = at->second->user == &user ? drop(at) : std::next(at);
  }
  while (telling_ > 0) {
    told_.wait(mutex_);
  }
}

// ---- Renewals

std::size_t Tokens::due() {
  const MutexLock lock(mutex_);
  notice_leap();
  const SteadyTime now = parts_.clock.steady_now();
  const auto later = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const auto& waiting) { return waiting.first > now; });
  return static_cast<std::size_t>(std::distance(waiting_.begin(), later));
}

bool Tokens::renew_one(const CancelToken& cancel) {
  EntryPtr entry;
  {
    const MutexLock lock(mutex_);
    notice_leap();
    if (cancel.is_cancelled() || waiting_.empty() ||
        waiting_.begin()->first > parts_.clock.steady_now()) {
      return false;
    }
    entry = entries_.at(waiting_.begin()->second);
    unschedule(*entry);
  }
  const SteadyTime asked = parts_.clock.steady_now();
  auto answer = parts_.source.issue(entry->request, cancel);
  TokenUser* user = nullptr;
  {
    const MutexLock lock(mutex_);
    if (!take_renewed(entry, std::move(answer), asked)) {
      return true;
    }
    user = entry->user;
    ++telling_;
  }
  user->token_renewed(entry->request.pod_uid);
  const MutexLock lock(mutex_);
  --telling_;
  told_.notify_all();
  return true;
}

bool Tokens::take_renewed(const EntryPtr& entry,
                          Result<kube::BoundToken> answer,
                          SteadyTime asked) {
  const auto present = entries_.find(key_of(entry->request));
  if (present == entries_.end() || present->second != entry) {
    return false;  // the pod is gone, or has a newer one
  }
  if (answer) {
    fill(*entry, std::move(*answer), asked);
  } else {
    note_failure(*entry, answer.status());
  }
  schedule(*entry);
  return answer.is_ok();
}

void Tokens::note_failure(Entry& entry, const Status& status) {
  const SteadyTime now = parts_.clock.steady_now();
  // The less time is left, the sooner.
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(entry.expires - now);
  auto delay = std::min(backoff_delay(kRetries, ++entry.failures, parts_.random),
                        std::max(left / kTriesInTheTimeLeft, kRetries.first));
  if (status.retry() == Retry::After) {
    delay = std::max(delay, status.retry_after());
  }
  entry.retry = now + delay;
  if (now > entry.expires - entry.token->lifetime / kEarnestPart && !entry.was_warned_of) {
    entry.was_warned_of = true;
    parts_.log.warn("the token of a service account runs out and is not renewed; it is tried on",
                    {{"pod", entry.request.account_namespace + "/" + entry.request.pod_name},
                     {"service_account", entry.request.account},
                     observe::error_field(status)});
  }
}

void Tokens::schedule(Entry& entry) {
  unschedule(entry);
  if (entry.user != nullptr) {
    entry.scheduled = std::max(entry.due, entry.retry);
    waiting_.emplace(*entry.scheduled, key_of(entry.request));
  }
}

void Tokens::unschedule(Entry& entry) {
  if (entry.scheduled) {
    waiting_.erase(std::pair(*entry.scheduled, key_of(entry.request)));
    entry.scheduled.reset();
  }
}

Tokens::Entries::iterator Tokens::drop(Entries::iterator at) {
  unschedule(*at->second);
  return entries_.erase(at);
}

void Tokens::notice_leap() {
  const WallTime::duration ahead = ahead_of_steady(parts_.clock);
  const WallTime::duration leap = ahead - std::exchange(wall_ahead_, ahead);
  if (leap < kNoLeap) {
    return;
  }
  for (const auto& [key, entry] : entries_) {
    entry->due -= leap;
    entry->expires -= leap;
    if (entry->scheduled) {
      schedule(*entry);
    }
  }
}

std::optional<SteadyTime> Tokens::look() const {
  if (waiting_.empty()) {
    return std::nullopt;
  }
  return std::min(waiting_.begin()->first, parts_.clock.steady_now() + kLookAnyway);
}

std::optional<SteadyTime> Tokens::next_look() const {
  const MutexLock lock(mutex_);
  return look();
}

std::size_t Tokens::size() const {
  const MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace vkhost::resolve
