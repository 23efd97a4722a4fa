// allow_open_files: makes room for so many descriptors in this process, as far as the hard limit of
// the system lets it; never less than there was. Returns how many there may be now. [startup]
#pragma once

#include <cstdint>

namespace vkhost {

std::uint64_t allow_open_files(std::uint64_t wanted);

}  // namespace vkhost
