// Whatever lists and watches bring, the listener hears of pods of this node alone, and the same
// however the bytes were cut on their way.
// Input: a letter that says how, a line "---", then one section for each answer. Lists come in pages
// unless the letter is even; a section that ends in "!" breaks off there.
#include "base/cancel.hpp"
#include "base/mutex.hpp"
#include "fuzz_input.hpp"
#include "http/listener.hpp"
#include "kube/pod_watch.hpp"
#include "kube/watch_lines.hpp"
#include "kube/watch_loop.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

using vkhost::CancelToken;
using vkhost::Deadline;
using vkhost::MutexLock;
using vkhost::Result;
using vkhost::Status;
using vkhost::fuzz::require;
namespace kube = vkhost::kube;

// More than any input has: whether a longer line is refused depends on how it arrives.
constexpr std::size_t kMostLineBytes = std::size_t{1} * 1024 * 1024;

// The body of one answer in pieces of `piece` bytes, none of which has to be waited for.
class Body final : public vkhost::http::ResponseStream {
 public:
  Body(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {
    breaks_off_ = text_.ends_with('!');
    if (breaks_off_) {
      text_.pop_back();
    }
    require(readable_.get() >= 0);
  }
  [[nodiscard]] int status() const override { return 200; }
  [[nodiscard]] const vkhost::http::Headers& headers() const override { return headers_; }
  Result<std::size_t> read(char* buffer, std::size_t capacity, Deadline /*deadline*/) override {
    VKHOST_TRY_ASSIGN(const auto count, try_read(buffer, capacity));
    return *count;
  }
  Result<std::optional<std::size_t>> try_read(char* buffer, std::size_t capacity) override {
    const std::size_t count = std::min({piece_, capacity, text_.size() - read_});
    if (count == 0 && breaks_off_) {
      return vkhost::unavailable("reset by peer");
    }
    text_.copy(buffer, count, read_);
    read_ += count;
    return std::optional<std::size_t>(count);
  }
  [[nodiscard]] int descriptor() const override { return readable_.get(); }

 private:
  const vkhost::http::OwnedDescriptor readable_{::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::string text_;
  const std::size_t piece_;
  bool breaks_off_ = false;
  std::size_t read_ = 0;
  vkhost::http::Headers headers_;
};

// Answers with one section after the other, then never again.
class Answers final : public kube::Client {
 public:
  Answers(std::vector<std::string> sections, std::size_t piece)
      : sections_(std::move(sections)), piece_(piece) {}

  // False when the watch waits for something else.
  [[nodiscard]] bool wait_until_used_up() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{2};
    const MutexLock lock(mutex_);
    while (!used_up_ && changed_.wait_until(mutex_, end)) {
    }
    return used_up_;
  }

  Result<std::string> get(std::string_view /*path*/,
                          const kube::Query& /*query*/,
                          const kube::CallOptions& options) override {
    auto section = next(options.cancel);
    if (section.is_ok() && section->ends_with('!')) {
      return vkhost::unavailable("reset by peer");
    }
    return section;
  }
  Result<std::unique_ptr<kube::WatchStream>> watch(std::string_view /*path*/,
                                                   const kube::Query& /*query*/,
                                                   const kube::CallOptions& options) override {
    auto section = next(options.cancel);
    if (!section.is_ok()) {
      return section.status();
    }
    return std::unique_ptr<kube::WatchStream>(std::make_unique<kube::WatchLines>(
        std::make_unique<Body>(std::move(*section), piece_), nullptr, kMostLineBytes));
  }
  Result<std::string> create(std::string_view /*path*/,
                             std::string /*body*/,
                             const kube::CallOptions& /*options*/) override {
    return vkhost::unimplemented("a watch creates nothing");
  }
  Result<std::string> update(std::string_view /*path*/,
                             std::string /*body*/,
                             const kube::CallOptions& /*options*/) override {
    return vkhost::unimplemented("a watch updates nothing");
  }
  Result<std::string> patch(std::string_view /*path*/,
                            kube::PatchType /*type*/,
                            std::string /*body*/,
                            const kube::CallOptions& /*options*/) override {
    return vkhost::unimplemented("a watch patches nothing");
  }
  Result<std::string> remove(std::string_view /*path*/,
                             std::string /*body*/,
                             const kube::CallOptions& /*options*/) override {
    return vkhost::unimplemented("a watch removes nothing");
  }

 private:
  Result<std::string> next(const CancelToken& cancel) {
    {
      const MutexLock lock(mutex_);
      if (next_ < sections_.size()) {
        return std::exchange(sections_[next_++], {});
      }
      used_up_ = true;
      changed_.notify_all();
    }
    static_cast<void>(cancel.wait_for(std::chrono::hours{1}));
    return vkhost::cancelled("there are no more answers");
  }

  vkhost::Mutex mutex_;
  vkhost::CondVar changed_;
  std::vector<std::string> sections_ VKHOST_GUARDED_BY(mutex_);
  std::size_t next_ VKHOST_GUARDED_BY(mutex_) = 0;
  bool used_up_ VKHOST_GUARDED_BY(mutex_) = false;
  const std::size_t piece_;
};

// Belongs to the threads of the loop, one at a time, until the watch has been stopped.
class Listener final : public kube::PodListener {
 public:
  void pods_listed(std::vector<kube::PodPtr> pods) override {
    listed_ = true;
    std::set<std::string> uids;
    heard_.emplace_back("listed");
    for (const kube::PodPtr& pod : pods) {
      check(pod);
      require(uids.insert(pod->uid).second);
      heard_.push_back(pod->raw);
    }
  }
  void pod_applied(kube::PodPtr pod) override {
    check(pod);
    require(listed_);
    heard_.push_back("applied " + pod->raw);
  }
  void pod_removed(const std::string& uid) override {
    require(listed_ && !uid.empty());
    heard_.push_back("removed " + uid);
  }
  [[nodiscard]] const std::vector<std::string>& heard() const { return heard_; }

 private:
  static void check(const kube::PodPtr& pod) {
    require(pod != nullptr && pod->node_name == "n" && !pod->uid.empty());
  }
  std::vector<std::string> heard_;
  bool listed_ = false;
};

// What the listener heard, and whether the answers were used up.
std::pair<std::vector<std::string>, bool> heard_of(std::vector<std::string> sections,
                                                   bool stream_lists,
                                                   std::size_t piece) {
  static const auto clock = std::make_shared<vkhost::SystemClock>();
  static kube::WatchLoop loop(clock);  // its threads serve all inputs
  Answers answers(std::move(sections), piece);
  Listener listener;
  kube::PodWatchSettings settings;
  settings.node_name = "n";
  settings.list_watch.stream_lists = stream_lists;
  settings.list_watch.backoff = {std::chrono::milliseconds{0}, std::chrono::milliseconds{0}};
  settings.list_watch.forbidden_backoff = settings.list_watch.backoff;
  kube::PodWatch watch(settings,
                       {answers, listener, clock, std::make_shared<vkhost::SeededRandom>(7),
                        vkhost::observe::Logger(), loop});
  watch.start();
  const bool used_up = answers.wait_until_used_up();
  watch.stop();
  return {listener.heard(), used_up};
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  // A server that asks for patience gets it, in real time.
  if (text.empty() || text.find("retryAfter") != std::string::npos) {
    return 0;
  }
  auto sections = vkhost::fuzz::sections_of(text);
  sections.erase(sections.begin());
  const auto letter = static_cast<std::size_t>(data[0]);
  const bool stream_lists = letter % 2 == 0;

  const auto whole = heard_of(sections, stream_lists, kMostLineBytes);
  const auto pieces = heard_of(sections, stream_lists, 1 + letter / 2);
  require(!whole.second || !pieces.second || whole.first == pieces.first);
  return 0;
}
