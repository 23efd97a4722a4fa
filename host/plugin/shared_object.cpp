#define BOOST_DLL_USE_STD_FS

#include "plugin/shared_object.hpp"

#include "base/mutex.hpp"

#include <vkhost/provider.h>

#include <boost/dll/shared_library.hpp>

#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace vkhost::plugin {
namespace {

struct Mapped {
  std::uint64_t device;
  std::uint64_t inode;
  boost::dll::shared_library library;
};

// Never destroyed, so never unloaded.
struct AllMapped {
  Mutex mutex;
  std::vector<Mapped> objects VKHOST_GUARDED_BY(mutex);

  static AllMapped& get() {
    static auto* const all = new AllMapped;
    return *all;
  }
};

// Boost's text: a sentence of its own, the dynamic linker's in brackets, and an errno that has
// nothing to do with it. Only the middle part helps.
std::string linker_sentence(const std::string& text) {
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  return open == std::string::npos || close == std::string::npos || close < open
             ? text
             : text.substr(open + 1, close - open - 1);
}

}  // namespace

Result<const vkp_plugin_table*> load_shared_object(OpenedFile& file) {
  AllMapped& all = AllMapped::get();
  const MutexLock lock(all.mutex);
  for (const Mapped& mapped : all.objects) {
    if (mapped.device == file.device && mapped.inode == file.inode) {
      return failed_precondition(
          "it is loaded in this process already, and a library is loaded only once");
    }
  }
  try {
    namespace dll = boost::dll;
    dll::shared_library library("/proc/self/fd/" + std::to_string(file.descriptor.get()),
                                dll::load_mode::rtld_now | dll::load_mode::rtld_local);
    static_cast<void>(file.descriptor.release());
    all.objects.push_back({file.device, file.inode, std::move(library)});
    return &all.objects.back().library.get<const vkp_plugin_table>("vkp_plugin");
  } catch (const std::system_error& error) {
    return failed_precondition("the dynamic linker refuses it: " + linker_sentence(error.what()));
  }
}

}  // namespace vkhost::plugin
