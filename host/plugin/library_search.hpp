// Finding plugin files: by name in the configured folders, or all of them with the reason why one
// would not be loaded. Runs no code of a plugin. [startup] [may-block] for reading files
#pragma once

#include "base/status.hpp"
#include "plugin/elf_descriptor.hpp"
#include "plugin/file_trust.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::plugin {

// What `vkhost plugins` shows of one file.
struct FoundPlugin {
  std::string name;  // "mock" for vkhost-mock.so
  std::filesystem::path path;
  Status status;    // OK: it would be loaded
  PluginHead head;  // zero when it could not be read
  std::string sha256;
};

// Every vkhost-NAME.so, in the order of the folders and by name. A name that an earlier folder has
// too is FAILED_PRECONDITION: it is never loaded. Folders that do not exist are passed over.
std::vector<FoundPlugin> list_plugins(const std::vector<std::filesystem::path>& folders,
                                      Trust trust);

// The file of the plugin `name` in the first folder that has it. NOT_FOUND names the folders and
// the plugins that are there.
Result<std::filesystem::path> find_plugin(std::string_view name,
                                          const std::vector<std::filesystem::path>& folders);

// One file without running its code: trust, hash, ABI version.
FoundPlugin inspect_plugin(const std::filesystem::path& path, Trust trust);

}  // namespace vkhost::plugin
