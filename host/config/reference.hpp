// The reference page of the configuration (docs/configuration.md), from the table of keys and the
// list of environment variables. [any-thread] [no-block]
#pragma once

#include <string>

namespace vkhost::config {

std::string reference_page();

}  // namespace vkhost::config
