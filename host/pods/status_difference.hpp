// The last step of merging a status (rule 7 of status_merge.cpp): only what differs is sent.
// Pure; Poco throws for members of unexpected types: callers fence. [any-thread] [no-block]
#pragma once

#include <Poco/JSON/Object.h>

#include <array>
#include <string>

namespace vkhost::pods {

inline constexpr std::array<const char*, 3> kContainerLists = {
    "containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"};

// A strategic merge patch that makes `wanted` of what the API server has; empty when there is no reason
// to write. A member that `wanted` does not name stays as it is, one that is null goes. Conditions are
// sent as they stand there. `resources` of containers that the API server lacks are a reason only if
// they are due.
[[nodiscard]] std::string status_difference(const Poco::JSON::Object::Ptr& wanted,
                                            const Poco::JSON::Object::Ptr& api,
                                            bool resources_are_due = false);

}  // namespace vkhost::pods
