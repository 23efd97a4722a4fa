// In-place resize as the API shows it: conditions PodResizePending and PodResizeInProgress, and the
// members `resources` and `allocatedResources` of container statuses.
//
// The API server lets nobody resize a pod whose running containers show no `resources`, so they are
// shown where the provider takes changes of resources, and only there. Servers before 1.33 know
// neither; they give pods no generation. Pure; Poco throws for members of unexpected types: callers
// fence. [any-thread] [no-block]
#pragma once

#include "kube/pod_record.hpp"

#include <Poco/Dynamic/Var.h>
#include <Poco/JSON/Object.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::pods {

enum class ResizeOutcome { Accepted, Deferred, Infeasible, Failed };

// What the provider said of the resources that the pod asks for now.
struct ResizeAnswer {
  ResizeOutcome outcome = ResizeOutcome::Accepted;
  std::string message;
  std::int64_t generation = 0;  // of the pod that it was asked about
};

struct ResizeView {
  bool is_shown = false;                 // the provider takes changes of resources
  bool is_settled = false;               // it has the resources of the spec
  const ResizeAnswer* answer = nullptr;  // null: not asked for any other than it was created with
  // That the API lacks `resources` is a reason to write: nobody could resize the pod before.
  bool is_due = false;
};

// Adds `resources` and `allocatedResources` where the provider's status has none: the spec's when it
// has them, else what the API has.
void complete_resources(const kube::PodRecord& pod,
                        const ResizeView& resize,
                        const Poco::JSON::Object::Ptr& api,
                        Poco::JSON::Object& observed);

// Whether two texts or objects of quantities are the same amounts: "0.1" is "100m".
[[nodiscard]] bool is_same_resources(const Poco::Dynamic::Var& one,
                                     const Poco::Dynamic::Var& other);

struct ResizeConditions {
  // Types that must not be there; neither wanted nor unwanted: left as it is.
  std::vector<std::string> unwanted;
  std::string wanted;  // a type, with status True; or empty
  std::string reason;
  std::string message;
  std::int64_t generation = 0;
};

[[nodiscard]] ResizeConditions resize_conditions(const kube::PodRecord& pod,
                                                 const ResizeView& resize,
                                                 const Poco::JSON::Object::Ptr& api,
                                                 const Poco::JSON::Object& observed);

}  // namespace vkhost::pods
