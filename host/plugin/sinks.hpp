// Sinks: where the results of one call of a plugin gather, checked piece by piece.
//
// One object belongs to one call. The plugin writes from any of its threads, also late ones: after
// close() nothing is taken any more. The caller closes it before it reads. What was refused is kept
// as one sentence: a call that returns OK after a refused result has failed all the same.
// [any-thread] [no-block]
#pragma once

#include "base/mutex.hpp"
#include "base/status.hpp"
#include "plugin/documents.hpp"
#include "plugin/provider.hpp"

#include <vkhost/provider.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace vkhost::plugin {

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  // What the functions of the ABI's sinks do; INVALID_ARGUMENT where the call has no such sink.
  virtual vkp_code put_text(const char* text, std::size_t size);
  virtual vkp_code put_problem(const vkp_problem* problem);
  virtual vkp_code put_verdict(const vkp_recovered_pod* pod);
  virtual vkp_code put_update(const vkp_update_answer* answer);
  virtual vkp_code put_listed(const vkp_listed_pod* pod);
  virtual vkp_code put_finding(const vkp_finding* finding);
  virtual void complete();

  // From here on nothing is taken. The caller reads afterwards.
  void close();
  // INVALID_ARGUMENT with what the plugin wrote wrongly, or OK.
  [[nodiscard]] Status refusal() const;

 protected:
  vkp_code refuse(std::string what) VKHOST_REQUIRES(mutex_);

  mutable Mutex mutex_;
  bool closed_ VKHOST_GUARDED_BY(mutex_) = false;
  std::string refused_ VKHOST_GUARDED_BY(mutex_);
};

// One text; the last write counts.
class TextSink final : public Sink {
 public:
  explicit TextSink(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  vkp_code put_text(const char* text, std::size_t size) override;
  [[nodiscard]] std::optional<std::string> text() const;

 private:
  const std::size_t max_bytes_;
  std::optional<std::string> text_ VKHOST_GUARDED_BY(mutex_);
};

class ProblemSink final : public Sink {
 public:
  vkp_code put_problem(const vkp_problem* problem) override;
  [[nodiscard]] std::vector<ConfigProblem> problems() const;

 private:
  std::vector<ConfigProblem> problems_ VKHOST_GUARDED_BY(mutex_);
};

class FindingSink final : public Sink {
 public:
  vkp_code put_finding(const vkp_finding* finding) override;
  [[nodiscard]] std::vector<Finding> findings() const;

 private:
  std::vector<Finding> findings_ VKHOST_GUARDED_BY(mutex_);
};

class RecoverSink final : public Sink {
 public:
  explicit RecoverSink(const std::vector<RecoverPod>& batch);
  vkp_code put_verdict(const vkp_recovered_pod* pod) override;
  [[nodiscard]] std::vector<RecoverVerdict> verdicts() const;

 private:
  std::unordered_map<std::string, std::size_t> places_;
  std::vector<RecoverVerdict> verdicts_ VKHOST_GUARDED_BY(mutex_);
};

class UpdateSink final : public Sink {
 public:
  explicit UpdateSink(std::uint64_t asked) : asked_(asked) {}
  vkp_code put_update(const vkp_update_answer* answer) override;
  // Every bit that was asked for, once; those without an answer are unsupported.
  [[nodiscard]] std::vector<UpdateAnswer> answers() const;

 private:
  const std::uint64_t asked_;
  std::vector<UpdateAnswer> answers_ VKHOST_GUARDED_BY(mutex_);
};

class ListSink final : public Sink {
 public:
  explicit ListSink(const std::vector<std::string>& asked) : asked_(asked.begin(), asked.end()) {}
  vkp_code put_listed(const vkp_listed_pod* pod) override;
  void complete() override;
  // Moves the list out. Not complete when an item could not even be told apart: a pod might then
  // only seem to be missing.
  [[nodiscard]] PodList take();
  // What was wrong with the last item that was not taken as it came, or empty. One bad item does not
  // cost the others their list.
  [[nodiscard]] std::string fault() const;

 private:
  const std::unordered_set<std::string> asked_;  // empty: everything
  PodList list_ VKHOST_GUARDED_BY(mutex_);
  bool lost_item_ VKHOST_GUARDED_BY(mutex_) = false;
  std::string fault_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::plugin
