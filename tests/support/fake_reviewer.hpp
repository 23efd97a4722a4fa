// FakeReviewer: an API server's word on tokens and rights, as a test lays it down; counts what it is
// asked, and can be away. [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "kubelet/access.hpp"

#include <map>
#include <set>
#include <string>

namespace vkhost::testing {

class FakeReviewer final : public kubelet::Reviewer {
 public:
  void know_token(const std::string& token, kube::UserInfo user) {
    MutexLock lock(mutex_);
    tokens_[token] = std::move(user);
  }
  void forget_tokens() {
    MutexLock lock(mutex_);
    tokens_.clear();
  }
  // "alice get nodes/proxy node-1"
  void allow(const std::string& right) {
    MutexLock lock(mutex_);
    rights_.insert(right);
  }
  void deny_expressly() {
    MutexLock lock(mutex_);
    denies_ = true;
  }
  void go_away() {
    MutexLock lock(mutex_);
    away_ = true;
  }

  [[nodiscard]] int token_reviews() const {
    MutexLock lock(mutex_);
    return token_reviews_;
  }
  [[nodiscard]] int access_reviews() const {
    MutexLock lock(mutex_);
    return access_reviews_;
  }
  [[nodiscard]] kube::AccessQuestion last_question() const {
    MutexLock lock(mutex_);
    return last_question_;
  }

  Result<kube::TokenVerdict> review_token(const Secret& token,
                                          const CancelToken& /*cancel*/) override {
    MutexLock lock(mutex_);
    ++token_reviews_;
    if (away_) {
      return unavailable("the API server is away");
    }
    const auto found = tokens_.find(token.reveal());
    kube::TokenVerdict verdict;
    verdict.is_authenticated = found != tokens_.end();
    if (verdict.is_authenticated) {
      verdict.user = found->second;
    }
    return verdict;
  }

  Result<kube::AccessVerdict> review_access(const kube::AccessQuestion& question,
                                            const CancelToken& /*cancel*/) override {
    MutexLock lock(mutex_);
    ++access_reviews_;
    last_question_ = question;
    if (away_) {
      return unavailable("the API server is away");
    }
    kube::AccessVerdict verdict;
    verdict.is_allowed =
        rights_.count(question.user.username + " " + question.verb + " " + question.resource + "/" +
                      question.subresource + " " + question.name) > 0;
    verdict.is_denied = denies_;
    return verdict;
  }

 private:
  mutable Mutex mutex_;
  std::map<std::string, kube::UserInfo> tokens_ VKHOST_GUARDED_BY(mutex_);
  std::set<std::string> rights_ VKHOST_GUARDED_BY(mutex_);
  bool denies_ VKHOST_GUARDED_BY(mutex_) = false;
  bool away_ VKHOST_GUARDED_BY(mutex_) = false;
  int token_reviews_ VKHOST_GUARDED_BY(mutex_) = 0;
  int access_reviews_ VKHOST_GUARDED_BY(mutex_) = 0;
  kube::AccessQuestion last_question_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::testing
