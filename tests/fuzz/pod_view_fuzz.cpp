// A spec of any shape is refused or read; and what the quick look takes for plain is plain.
#include "resolve/pod_view.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);

  const auto view = vkhost::resolve::read_pod_view(text);
  if (!view.is_ok() || !vkhost::resolve::refers_to_nothing(text)) {
    return 0;
  }
  if (!view->service_links) {
    std::abort();
  }
  for (const auto& container : view->containers) {
    if (!container.env.empty() || !container.env_from.empty() || !container.command.empty() ||
        !container.args.empty() || !container.sub_paths.empty()) {
      std::abort();
    }
  }
  return 0;
}
