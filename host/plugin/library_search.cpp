#include "plugin/library_search.hpp"

#include <algorithm>
#include <optional>
#include <system_error>

namespace vkhost::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "vkhost-";
constexpr std::string_view kSuffix = ".so";
constexpr std::size_t kMaxPluginNameBytes = 64;

bool is_plugin_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxPluginNameBytes &&
         std::all_of(name.begin(), name.end(), [](char letter) {
           return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
                  letter == '-' || letter == '_';
         });
}

// "mock" of "vkhost-mock.so".
std::optional<std::string> plugin_name_of(const std::string& file) {
  if (file.size() <= kPrefix.size() + kSuffix.size() || file.rfind(kPrefix, 0) != 0 ||
      file.compare(file.size() - kSuffix.size(), kSuffix.size(), kSuffix) != 0) {
    return std::nullopt;
  }
  std::string name = file.substr(kPrefix.size(), file.size() - kPrefix.size() - kSuffix.size());
  return is_plugin_name(name) ? std::optional(std::move(name)) : std::nullopt;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (plugin_name_of(entry->path().filename().string())) {
      files.push_back(entry->path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

Status inspect(const fs::path& path, Trust trust, FoundPlugin& found) {
  VKHOST_TRY_ASSIGN(const OpenedFile file, open_plugin_file(path, trust, {}));
  found.sha256 = file.sha256;
  VKHOST_TRY_ASSIGN(found.head, read_plugin_head(file.descriptor.get(), file.size));
  return check_plugin_head(found.head);
}

}  // namespace

FoundPlugin inspect_plugin(const fs::path& path, Trust trust) {
  FoundPlugin found;
  found.path = path;
  found.name = plugin_name_of(path.filename().string()).value_or(path.stem().string());
  found.status = inspect(path, trust, found);
  return found;
}

std::vector<FoundPlugin> list_plugins(const std::vector<fs::path>& folders, Trust trust) {
  std::vector<FoundPlugin> all;
  for (const fs::path& folder : folders) {
    for (const fs::path& file : files_in(folder)) {
      FoundPlugin found = inspect_plugin(file, trust);
      const auto same = std::find_if(
          all.begin(), all.end(), [&](const auto& earlier) { return earlier.name == found.name; });
      if (same != all.end()) {
        found.status = failed_precondition("hidden by " + same->path.string() +
                                           ", which stands in an earlier folder");
      }
      all.push_back(std::move(found));
    }
  }
  return all;
}

Result<fs::path> find_plugin(std::string_view name, const std::vector<fs::path>& folders) {
  if (!is_plugin_name(name)) {
    return invalid_argument("'" + std::string(name) +
                            "' is not the name of a plugin (lower-case letters, digits, - and _); "
                            "to load a file by its path, write a path with a slash");
  }
  std::string searched;
  std::string there;
  for (const fs::path& folder : folders) {
    std::error_code error;
    fs::path path = folder / (std::string(kPrefix) + std::string(name) + std::string(kSuffix));
    if (fs::exists(path, error)) {
      return path;
    }
    searched += (searched.empty() ? "" : ", ") + folder.string();
    for (const fs::path& file : files_in(folder)) {
      there += (there.empty() ? "" : ", ") + *plugin_name_of(file.filename().string());
    }
  }
  return not_found("no plugin '" + std::string(name) + "': vkhost-" + std::string(name) +
                   ".so is not in " + (searched.empty() ? "any folder (none is set)" : searched) +
                   (there.empty() ? "; no plugin at all is there" : "; there are: " + there));
}

}  // namespace vkhost::plugin
