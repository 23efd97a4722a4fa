// Tokens: the service-account tokens of all pods of all nodes: issued when a pod's material is made,
// renewed before their time is over, dropped with the pod.
//
// A token is due when 80 % of its lifetime have passed, or a day, or up to a twentieth of that earlier,
// so that tokens which were issued together are not renewed together. A renewal is made by renew_one(),
// on threads that the owner lends, a few at a time; its user hears of it when the new token is there, and
// not when it failed: the old one is kept for as long as it is valid, and a new one asked for at growing
// distances, at short ones again when time runs out. Time is counted from when a token was asked for, by
// the steady clock, and a leap forward of the wall clock counts as time that passed (the machine slept),
// so neither a clock that is wrong nor one that is set back leaves a pod with a token that has run out.
//
// Nothing is stored beyond the process: after a restart a pod gets new tokens with its first material.
//
// [any-thread]; source, clock, random and users outlive this object, or leave() it.
#pragma once

#include "base/backoff.hpp"
#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/status.hpp"
#include "kube/token_request.hpp"
#include "observe/log.hpp"
#include "resolve/token_source.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace vkhost::resolve {

using TokenPtr = std::shared_ptr<const kube::BoundToken>;

// Hears that a pod's token is another one. [any-thread] [no-block]
class TokenUser {
 public:
  TokenUser() = default;
  TokenUser(const TokenUser&) = delete;
  TokenUser& operator=(const TokenUser&) = delete;
  virtual ~TokenUser() = default;
  virtual void token_renewed(const std::string& pod_uid) = 0;
};

class Tokens {
 public:
  struct Parts {
    TokenSource& source;
    const Clock& clock;
    Random& random;
    observe::Logger log = {};
    // Told that next_look() is now as early as this. [no-block]
    std::function<void(SteadyTime)> look_at = {};
  };
  explicit Tokens(Parts parts);
  Tokens(const Tokens&) = delete;
  Tokens& operator=(const Tokens&) = delete;

  // The pod's token of this audience and lifetime; valid, and issued now if there is none. With a `user`
  // it is renewed for as long as the pod is not forgotten; without, as often as somebody asks when it is
  // due. One call at a time for each pod. [may-block]
  Result<TokenPtr> token(const kube::TokenRequest& request,
                         TokenUser* user,
                         const CancelToken& cancel);
  // The pod has no tokens any more. [no-block]
  void forget(const std::string& pod_uid);
  // Forgets all pods of `user`; once it has returned, the user is not called and will not be. [may-block]
  void leave(const TokenUser& user);

  // How many tokens are due for renewal. [no-block]
  [[nodiscard]] std::size_t due();
  // Renews one of them, that which has been due for longest; false: none is. Several threads may be in
  // it. [may-block]
  bool renew_one(const CancelToken& cancel);
  // When to look for due ones again; nothing when no token is to be renewed. [no-block]
  [[nodiscard]] std::optional<SteadyTime> next_look() const;
  [[nodiscard]] std::size_t size() const;

 private:
  // UID of the pod first, so that its tokens lie together.
  using Key = std::tuple<std::string, std::string, std::int64_t>;
  struct Entry {
    kube::TokenRequest request;
    TokenUser* user = nullptr;
    TokenPtr token;
    SteadyTime due;
    SteadyTime expires;
    SteadyTime retry{};  // not before, after a failure
    std::uint32_t failures = 0;
    std::optional<SteadyTime> scheduled;  // its place in waiting_
    bool was_warned_of = false;
  };
  using EntryPtr = std::shared_ptr<Entry>;
  using Entries = std::map<Key, EntryPtr>;

  static Key key_of(const kube::TokenRequest& request);
  TokenPtr usable(const Key& key, TokenUser* user) VKHOST_REQUIRES(mutex_);
  TokenPtr still_valid(const Key& key, const Status& failure) VKHOST_REQUIRES(mutex_);
  void fill(Entry& entry, kube::BoundToken token, SteadyTime asked) VKHOST_REQUIRES(mutex_);
  // Whether the user is to hear of it.
  bool take_renewed(const EntryPtr& entry, Result<kube::BoundToken> answer, SteadyTime asked)
      VKHOST_REQUIRES(mutex_);
  void note_failure(Entry& entry, const Status& status) VKHOST_REQUIRES(mutex_);
  void schedule(Entry& entry) VKHOST_REQUIRES(mutex_);
  void unschedule(Entry& entry) VKHOST_REQUIRES(mutex_);
  Entries::iterator drop(Entries::iterator at) VKHOST_REQUIRES(mutex_);
  void notice_leap() VKHOST_REQUIRES(mutex_);
  [[nodiscard]] std::optional<SteadyTime> look() const VKHOST_REQUIRES(mutex_);

  const Parts parts_;
  mutable Mutex mutex_;
  CondVar told_;
  std::size_t telling_ VKHOST_GUARDED_BY(mutex_) = 0;
  Entries entries_ VKHOST_GUARDED_BY(mutex_);
  // Those that are to be renewed and are not just being renewed, by when.
  std::set<std::pair<SteadyTime, Key>> waiting_ VKHOST_GUARDED_BY(mutex_);
  WallTime::duration wall_ahead_
      VKHOST_GUARDED_BY(mutex_);  // of the steady clock, when last looked
};

}  // namespace vkhost::resolve
