#include "config/load.hpp"

#include "config/complete.hpp"
#include "config/json_reader.hpp"
#include "config/keys.hpp"
#include "config/settings_tree.hpp"
#include "config/toml_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

namespace vkhost::config {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = std::size_t{4} * 1024 * 1024;

class Descriptor {
 public:
  explicit Descriptor(const fs::path& file) : fd_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::string error_text(int number) { return std::generic_category().message(number); }

std::shared_ptr<const Source> source_of(const fs::path& file) {
  std::error_code error;
  auto source = std::make_shared<Source>();
  source->name = file.string();
  const fs::path whole = fs::absolute(file, error);
  source->folder = error ? file.parent_path() : whole.parent_path();
  source->has_lines = true;
  return source;
}

Place whole_file(const fs::path& file) { return {source_of(file), 0, 0}; }

// Whoever can write this file decides what code the daemon loads.
void check_writers(int fd, const fs::path& file, Problems& problems) {
  struct stat status{};
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IWOTH) != 0) {
    problems.warning(whole_file(file), "",
                     "every user of this machine may write this file: chmod o-w");
  }
}

std::optional<Value> read_file(const fs::path& file, Problems& problems) {
  const auto text = read_text_file(file, problems);
  return text ? read_toml(*text, source_of(file), problems) : std::nullopt;
}

// A version of a later daemon: nothing else in the file would be judged rightly.
bool is_later_version(const Value& root, Problems& problems) {
  const Value* version = root.find("config_version");
  const auto* number = version == nullptr ? nullptr : version->as<std::int64_t>();
  if (number == nullptr || *number <= kConfigVersion) {
    return false;
  }
  problems.error(version->at(), "config_version",
                 "this daemon reads version " + std::to_string(kConfigVersion) + ", found " +
                     std::to_string(*number) + ": it is older than the file");
  return true;
}

}  // namespace

std::optional<std::string> read_text_file(const fs::path& file, Problems& problems) {
  const Descriptor descriptor(file);
  if (descriptor.get() < 0) {
    problems.error(whole_file(file), "", "cannot open the file: " + error_text(errno));
    return std::nullopt;
  }
  std::string text;
  while (text.size() <= kMaxFileBytes) {
    const std::size_t before = text.size();
    text.resize(before + 65'536);
    const ssize_t got = ::read(descriptor.get(), text.data() + before, 65'536);
    if (got < 0 && errno == EINTR) {
      text.resize(before);
      continue;
    }
    if (got < 0) {
      problems.error(whole_file(file), "", "cannot read the file: " + error_text(errno));
      return std::nullopt;
    }
    text.resize(before + static_cast<std::size_t>(got));
    if (got == 0) {
      check_writers(descriptor.get(), file, problems);
      return text;
    }
  }
  problems.error(whole_file(file), "", "the file is larger than 4 MiB");
  return std::nullopt;
}

std::optional<Value> read_settings_file(const fs::path& file, Problems& problems) {
  const auto text = read_text_file(file, problems);
  if (!text) {
    return std::nullopt;
  }
  const auto first = text->find_first_not_of(" \t\r\n");
  const bool is_json =
      file.extension() == ".json" || (first != std::string::npos && (*text)[first] == '{');
  auto value = is_json ? read_json(*text, source_of(file), problems)
                       : read_toml(*text, source_of(file), problems);
  if (value && value->as<Table>() == nullptr) {
    expected(*value, "", "a table of settings", problems);
    return std::nullopt;
  }
  return value;
}

Loaded load(const Sources& sources) {
  Loaded loaded;
  Problems& problems = loaded.problems;
  Value root(Table{}, Place{});
  if (sources.file) {
    auto file = read_file(*sources.file, problems);
    if (!file || is_later_version(*file, problems)) {
      return loaded;
    }
    root = std::move(*file);
  } else {
    put_setting(root, "config_version", Value(std::int64_t{kConfigVersion}, Place{}));
  }
  merge_settings(root, sources.flags, problems);
  fill_in_settings(root, environment_settings(sources.environment, problems));
  all_keys().read(root, "", loaded.config, problems);
  complete(loaded.config, root, sources, problems);
  problems.sort();
  loaded.given = std::move(root);
  return loaded;
}

std::vector<Change> difference(const Config& before, const Config& after) {
  std::vector<Change> changes;
  all_keys().difference(before, after, "", changes);
  return changes;
}

std::vector<Change> difference(const Config& before, const Loaded& after) {
  std::vector<Change> changes = difference(before, after.config);
  for (Change& change : changes) {
    change.at = place_of_key(after.given, change.key);
  }
  return changes;
}

Config with_live_changes(const Config& running, const Config& wanted) {
  Config config = running;
  all_keys().take_live(config, wanted);
  return config;
}

}  // namespace vkhost::config
