#include "base/memory.hpp"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost {
namespace {

struct Range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

bool read_mapping(std::string_view line, Range& range, bool& is_unwritable_file) {
  const auto dash = line.find('-');
  const auto space = line.find(' ');
  if (dash == std::string_view::npos || space == std::string_view::npos || space < dash ||
      space + 3 >= line.size()) {
    return false;
  }
  const auto hex = [](std::string_view text, std::uintptr_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    return error == std::errc() && end == text.data() + text.size();
  };
  if (!hex(line.substr(0, dash), range.begin) ||
      !hex(line.substr(dash + 1, space - dash - 1), range.end)) {
    return false;
  }
  is_unwritable_file = line[space + 2] == '-' && line.find('/') != std::string_view::npos;
  return true;
}

// Mappings of files that nobody may write to and of which no page has become the process's own, as
// one has in which a debugger has set a breakpoint. See proc_pid_smaps(5).
std::vector<Range> clean_file_mappings() {
  std::vector<Range> clean;
  std::ifstream smaps("/proc/self/smaps");
  std::string line;
  Range range;
  bool is_candidate = false;
  while (std::getline(smaps, line)) {
    bool is_unwritable_file = false;
    if (read_mapping(line, range, is_unwritable_file)) {
      is_candidate = is_unwritable_file;
    } else if (is_candidate && line.starts_with("Anonymous:")) {
      if (line.find(" 0 kB") != std::string::npos) {
        clean.push_back(range);
      }
      is_candidate = false;
    }
  }
  return clean;
}

// The loader's lock is held: the objects stay mapped while their pages are dropped.
int drop_pages(dl_phdr_info* object, std::size_t /*size*/, void* data) {
  const auto& clean = *static_cast<const std::vector<Range>*>(data);
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) {
      continue;
    }
    constexpr std::uintptr_t kPage = 4096;
    const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(kPage - 1);
    const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    for (const Range& range : clean) {
      if (range.begin >= begin && range.begin < end) {
        // NOLINTNEXTLINE(performance-no-int-to-ptr): an address is what the kernel told
        static_cast<void>(::madvise(reinterpret_cast<void*>(range.begin), range.end - range.begin,
                                    MADV_DONTNEED));
      }
    }
  }
  return 0;
}

}  // namespace

void share_heaps() {
  constexpr int kHeaps = 2;
  // NOLINTBEGIN(concurrency-mt-unsafe): before any other thread
  if (std::getenv("MALLOC_ARENA_MAX") == nullptr) {
    static_cast<void>(::mallopt(M_ARENA_MAX, kHeaps));
  }
  // NOLINTEND(concurrency-mt-unsafe)
}

void release_unused_memory() {
  static_cast<void>(::malloc_trim(0));
  std::vector<Range> clean = clean_file_mappings();
  static_cast<void>(::dl_iterate_phdr(drop_pages, &clean));
}

}  // namespace vkhost
