// FakeNodeApi: the nodes and leases of an API server, as text by path, with what a writer needs: 404,
// UIDs, versions, strategic merges, and being away. Every change wakes whoever waits.
// [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "kube/client.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

class FakeNodeApi final : public kube::Client {
 public:
  Result<std::string> get(std::string_view path,
                          const kube::Query& query,
                          const kube::CallOptions& options) override;
  Result<std::string> create(std::string_view path,
                             std::string body,
                             const kube::CallOptions& options) override;
  Result<std::string> update(std::string_view path,
                             std::string body,
                             const kube::CallOptions& options) override;
  Result<std::string> patch(std::string_view path,
                            kube::PatchType type,
                            std::string body,
                            const kube::CallOptions& options) override;
  Result<std::string> remove(std::string_view path,
                             std::string body,
                             const kube::CallOptions& options) override;
  Result<std::unique_ptr<kube::WatchStream>> watch(std::string_view path,
                                                   const kube::Query& query,
                                                   const kube::CallOptions& options) override;

  // ---- What tests do
  void put(const std::string& path, const std::string& object);
  void erase(const std::string& path);
  void go_away();  // every request fails
  void come_back();
  // Patches that contain `text` are answered 422.
  void refuse_patches_with(std::string text);
  // Every request waits until it is cancelled or its time is over; or those for that path alone.
  void hang(std::string path = {});
  // Called after each request of that kind, with the path of the object: for what a watch would
  // tell, and for what others do meanwhile.
  void after_get(std::function<void(const std::string& path)> hook);
  void on_patch(std::function<void(const std::string& path)> hook);

  // ---- What tests see
  [[nodiscard]] int creates(const std::string& path) const;
  [[nodiscard]] int updates(const std::string& path) const;
  // Requests of any kind, or those for that path alone.
  [[nodiscard]] int attempts(const std::string& path = {}) const;
  [[nodiscard]] std::string object(const std::string& path) const;
  [[nodiscard]] std::vector<std::string> patches() const;
  // The object once `holds` is true of its text; empty when that does not come.
  std::string wait_for(const std::string& path,
                       const std::function<bool(const std::string&)>& holds) const;
  // The first patch that contains the text.
  [[nodiscard]] std::string wait_for_patch(const std::string& text) const;
  [[nodiscard]] bool wait_until(const std::function<bool()>& holds) const;

 private:
  Status arrive(std::string_view path, const kube::CallOptions& options);
  Result<std::string> find(const std::string& path) const VKHOST_REQUIRES(mutex_);
  void store(const std::string& path, const std::string& object) VKHOST_REQUIRES(mutex_);

  mutable Mutex mutex_;
  mutable CondVar changed_;
  enum class Mood { Answers, Away, Hangs } mood_ VKHOST_GUARDED_BY(mutex_) = Mood::Answers;
  int serial_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::string hangs_at_ VKHOST_GUARDED_BY(mutex_);  // empty: everywhere
  std::vector<std::string> attempts_ VKHOST_GUARDED_BY(mutex_);
  std::map<std::string, std::string> objects_ VKHOST_GUARDED_BY(mutex_);
  std::map<std::string, int> creates_ VKHOST_GUARDED_BY(mutex_);
  std::map<std::string, int> updates_ VKHOST_GUARDED_BY(mutex_);
  std::vector<std::string> patches_ VKHOST_GUARDED_BY(mutex_);
  std::string refused_ VKHOST_GUARDED_BY(mutex_);
  std::function<void(const std::string&)> after_get_ VKHOST_GUARDED_BY(mutex_);
  std::function<void(const std::string&)> on_patch_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::testing
