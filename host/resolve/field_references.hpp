// Reading fieldRef and resourceFieldRef, which variables and files of volumes have in common. For
// the sources of this room alone. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "resolve/json_members.hpp"
#include "resolve/pod_view.hpp"

#include <Poco/JSON/Object.h>

namespace vkhost::resolve {

// INVALID_ARGUMENT names the member that has a wrong type; `place` is that of the reference.
Result<FieldReference> read_field_reference(const Poco::JSON::Object& from, const Place& place);
Result<ResourceReference> read_resource_reference(const Poco::JSON::Object& from,
                                                  const Place& place);

}  // namespace vkhost::resolve
