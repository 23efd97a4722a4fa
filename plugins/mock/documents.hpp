// What the mock tells of itself, of an instance and of its node, as JSON. Pure. [any-thread]
// [no-block]
#pragma once

#include "settings.hpp"

#include <string>
#include <string_view>

namespace vkhost::mock {

[[nodiscard]] std::string describe_mock();
[[nodiscard]] std::string render_capabilities(const Settings& settings);
// v1.Node; addresses, conditions and versions are left to the host.
[[nodiscard]] std::string render_node(const Settings& settings, std::string_view node_name);

}  // namespace vkhost::mock
