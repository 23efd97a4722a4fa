// Admission: whether a pod may run on its node, in the words of a kubelet.
//
// The scheduler has normally asked the same before; what comes here without it (spec.nodeName), or
// after the node changed, is judged once, before anything is made of it. What admitted pods request
// is kept as running sums: nobody adds up all pods for each new one.
// [any-thread] [no-block] unless a function says otherwise.
#pragma once

#include "base/mutex.hpp"
#include "kube/node_facts.hpp"
#include "kube/pod_demand.hpp"
#include "kube/pod_record.hpp"
#include "kube/resource_amounts.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::pods {

// Why a pod may not run here: reason and message of its status and of an event.
struct Rejection {
  std::string reason;
  std::string message;

  bool operator==(const Rejection&) const = default;
};

// OS, node selector and affinity, taints that forbid execution.
std::optional<Rejection> check_place(const kube::PodDemand& pod, const kube::NodeFacts& node);

// What the admitted pods of one node request together.
class Seats {
 public:
  // What one pod takes, for as long as it lives. The Seats outlive it.
  class Seat {
   public:
    Seat(Seats& seats, kube::ResourceAmounts requests);
    ~Seat();
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

   private:
    Seats& seats_;
    const kube::ResourceAmounts requests_;
  };

  // A seat, or why there is none.
  struct Outcome {
    std::unique_ptr<Seat> seat;
    std::optional<Rejection> rejection;
  };

  // As a kubelet decides, a lack of resources is told first: `otherwise` says what else is wrong.
  Outcome ask(const kube::PodDemand& pod,
              const kube::NodeFacts& node,
              std::optional<Rejection> otherwise);
  // For pods that are not judged.
  std::unique_ptr<Seat> take(kube::ResourceAmounts requests);

  [[nodiscard]] std::int64_t pods() const;
  [[nodiscard]] kube::ResourceAmounts used() const;

 private:
  [[nodiscard]] std::optional<Rejection> lack(const kube::PodDemand& pod,
                                              const kube::NodeFacts& node) const
      VKHOST_REQUIRES(mutex_);
  void count(const kube::ResourceAmounts& requests) VKHOST_REQUIRES(mutex_);
  void release(const kube::ResourceAmounts& requests);

  mutable Mutex mutex_;
  std::int64_t pods_ VKHOST_GUARDED_BY(mutex_) = 0;
  kube::ResourceAmounts used_ VKHOST_GUARDED_BY(mutex_);
};

// By metadata.creationTimestamp; what is equally old keeps its order.
void sort_oldest_first(std::vector<kube::PodPtr>& pods);

}  // namespace vkhost::pods
