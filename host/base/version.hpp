// The daemon's own semantic version, as the build knows it. The ABI and the configuration have
// versions of their own. [any-thread] [no-block], cannot fail.
#pragma once

#include <string_view>

namespace vkhost {

std::string_view daemon_version() noexcept;

}  // namespace vkhost
