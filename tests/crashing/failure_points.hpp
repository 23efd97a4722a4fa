// The failure points of the crash tests. A daemon of the target vkhost-crashing ends at one of them by
// SIGKILL as soon as the file named by $VKHOST_FAILURE_POINT holds the point's name, so a test sets it
// when it has come so far. Included by the compiler before every source of pods and node.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace vkhost::crashing {

inline constexpr auto kFailurePoints = std::to_array<std::string_view>({
    // A pod is made, and what the provider says of it is written.
    "AfterJudged",
    "BeforeCreateCall",
    "AfterCreateCall",
    "BeforeHandleSaved",
    "AfterHandleSaved",
    "BeforeStatusWrite",
    "AfterStatusWrite",
    "BeforeUpdateCall",
    "AfterUpdateCall",
    // A pod ends.
    "BeforeDeleteCall",
    "AfterDeleteCall",
    "AfterAbsence",
    "BeforeConclusion",
    "BeforeLastStatus",
    "AfterLastStatus",
    "BeforeRemoval",
    "AfterRemoval",
    "AfterRemovalSeen",
    "BeforeForgotten",
    "BeforeLossFails",
    "BeforeLossShows",
    "AfterEvictionAsked",
    "BeforeEvictionMark",
    "AfterEvictionMark",
    "AfterDeadline",
    "BeforeOrderedEnd",
    // A daemon starts.
    "BeforeRecovery",
    "AfterRecovery",
    "BeforeWork",
    "BeforeList",
    "AfterList",
    "BeforeOrphanRead",
    "AfterOrphanRead",
    "AfterOrphanAdopted",
    // The node.
    "BeforeNodeCreated",
    "AfterNodeCreated",
    "BeforeNodeSpec",
    "AfterNodeSpec",
    "BeforeNodeStatus",
    "AfterNodeStatus",
    "BeforeLeaseCreated",
    "AfterLeaseCreated",
    "BeforeLeaseRenewed",
    "AfterLeaseRenewed",
});

// The name itself; one that is not in the list does not compile.
consteval std::string_view failure_point(std::string_view name) {
  return *std::find(kFailurePoints.begin(), kFailurePoints.end(), name);
}

inline constexpr const char* kFileVariable = "VKHOST_FAILURE_POINT";
// Followed by the name; the last line of a daemon that has ended at a failure point.
inline constexpr std::string_view kLastWords = "ends at failure point ";

void arrive(std::string_view point) noexcept;

}  // namespace vkhost::crashing

#define VKHOST_FAILURE_POINT(name) \
  ::vkhost::crashing::arrive(::vkhost::crashing::failure_point(#name))
#define VKHOST_FAILURE_POINT_IF(condition, name)                                      \
  ((condition) ? ::vkhost::crashing::arrive(::vkhost::crashing::failure_point(#name)) \
               : static_cast<void>(0))
