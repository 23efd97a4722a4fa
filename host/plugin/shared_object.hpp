// The one place that maps a library into the process. What is mapped stays: threads, thread-local
// objects and runtimes of a plugin make unloading crash. [startup] [may-block]: constructors of the
// library run here
#pragma once

#include "base/status.hpp"
#include "plugin/file_trust.hpp"

struct vkp_plugin_table;  // NOLINT(readability-identifier-naming): the ABI names it

namespace vkhost::plugin {

// Maps the very file behind the descriptor, with all symbols bound and none shared, and takes the
// descriptor over for good: its number is the name by which the dynamic linker knows the library.
// FAILED_PRECONDITION with the linker's sentence, or when the file is mapped already.
Result<const vkp_plugin_table*> load_shared_object(OpenedFile& file);

}  // namespace vkhost::plugin
