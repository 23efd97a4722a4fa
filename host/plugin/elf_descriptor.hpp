// The head of a plugin's table, read from the file before any of its code can run: loading a library
// already runs its constructors, so magic and version have to be known first.
//
// The symbol is found the way the dynamic linker will find it (program headers, dynamic section,
// hash table). Every offset in the file is hostile: all reads are bounded by the file, all loops by
// its size. INVALID_ARGUMENT names what is wrong with the file, FAILED_PRECONDITION a version that
// does not fit. [startup] [may-block] for reads of the file
#pragma once

#include "base/status.hpp"

#include <cstdint>
#include <string>

namespace vkhost::plugin {

struct PluginHead {
  std::uint64_t magic = 0;
  std::uint32_t abi_major = 0;
  std::uint32_t abi_minor = 0;
  std::uint64_t table_size = 0;
};

// Reads the head of `vkp_plugin` from the ELF file behind `descriptor`, whose size is `file_size`.
Result<PluginHead> read_plugin_head(int descriptor, std::uint64_t file_size);

// Whether this daemon can work with such a plugin.
Status check_plugin_head(const PluginHead& head);

// "0.1": what this daemon speaks.
std::string host_abi_version();

}  // namespace vkhost::plugin
