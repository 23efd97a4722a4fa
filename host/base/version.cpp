#include "base/version.hpp"

namespace vkhost {

std::string_view daemon_version() noexcept { return VKHOST_VERSION; }

}  // namespace vkhost
