#include "support/mock_journal.hpp"

#include "support/test_folder.hpp"
#include "support/tls_stream.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <poll.h>
#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace vkhost::testing {
namespace fs = std::filesystem;

namespace {

std::vector<std::string> texts_of(const Poco::JSON::Array::Ptr& array) {
  std::vector<std::string> texts;
  for (unsigned i = 0; !array.isNull() && i < array->size(); ++i) {
    texts.push_back(array->getElement<std::string>(i));
  }
  return texts;
}

MockCall parse_call(const std::string& line) {
  Poco::JSON::Parser parser;
  const auto object = parser.parse(line).extract<Poco::JSON::Object::Ptr>();
  return {.call = object->optValue<std::string>("call", ""),
          .uid = object->optValue<std::string>("uid", ""),
          .outcome = object->optValue<std::string>("outcome", ""),
          .has_workload = object->has("workload"),
          .removed = object->optValue<bool>("removed", false),
          .changed = texts_of(object->getArray("changed")),
          .material = object->optValue<std::string>("material", "")};
}

// Readable at every change of a file, or of the files in a folder.
Descriptor watch_path(const fs::path& path) {
  Descriptor watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (watch.get() < 0 ||
      ::inotify_add_watch(watch.get(), path.c_str(), IN_MODIFY | IN_CREATE) < 0) {
    throw std::system_error(errno, std::generic_category(), "watching " + path.native());
  }
  return watch;
}

}  // namespace

fs::path MockJournal::log_file() const {
  std::error_code ignored;
  for (fs::recursive_directory_iterator each(state_dir_, ignored), end; each != end;
       each.increment(ignored)) {
    if (each->path().filename() == "calls.log") {
      return each->path();
    }
  }
  return {};
}

std::vector<MockCall> MockJournal::calls() const {
  std::vector<MockCall> calls;
  const fs::path file = log_file();
  const std::string text = file.empty() ? std::string() : read_file(file);
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    // A process that was killed may have left half a line, which had no effect.
    try {
      if (end > begin) {
        calls.push_back(parse_call(text.substr(begin, end - begin)));
      }
    } catch (const Poco::Exception&) {
    }
    begin = end + 1;
  }
  return calls;
}

std::size_t MockJournal::count(std::string_view call,
                               std::string_view uid,
                               std::string_view outcome) const {
  const auto all = calls();
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const MockCall& each) {
    return each.call == call && each.uid == uid && (outcome.empty() || each.outcome == outcome);
  }));
}

std::map<std::string, int> MockJournal::creations() const {
  std::map<std::string, int> creations;
  for (const MockCall& each : calls()) {
    if (each.call == "create_pod" && each.has_workload) {
      ++creations[each.uid];
    }
  }
  return creations;
}

std::set<std::string> MockJournal::living() const {
  std::set<std::string> living;
  for (const MockCall& each : calls()) {
    if (each.removed) {
      living.erase(each.uid);
    }
    if (each.has_workload) {
      living.insert(each.uid);
    }
  }
  return living;
}

std::string MockJournal::kept(std::string_view folder, std::string_view uid) const {
  const std::string name = std::string(uid) + ".json";
  std::error_code ignored;
  for (fs::directory_iterator each(state_dir_, ignored), end; each != end;
       each.increment(ignored)) {
    const fs::path file = each->path() / folder / name;
    if (fs::exists(file)) {
      return read_file(file);
    }
  }
  return {};
}

std::string MockJournal::material(std::string_view uid) const { return kept("material", uid); }

std::string MockJournal::material_hashes(std::string_view uid) const {
  return kept("material_hashes", uid);
}

void MockJournal::take_away(std::string_view uid) const {
  std::ofstream log(log_file(), std::ios::app);
  log << R"({"call":"vanished","uid":")" << uid << R"(","removed":true})" << '\n' << std::flush;
  if (!log) {
    throw std::runtime_error("writing " + log_file().native());
  }
}

bool MockJournal::wait_until(const std::function<bool(const MockJournal&)>& condition,
                             std::chrono::milliseconds within) const {
  const SteadyTime until = std::chrono::steady_clock::now() + within;
  for (;;) {
    const fs::path file = log_file();
    const Descriptor watch = watch_path(file.empty() ? state_dir_ : file);
    if (condition(*this)) {
      return true;
    }
    // A folder made within a watched one may have got its file before anybody could watch it.
    constexpr std::chrono::milliseconds kLookAgain{200};
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now >= until) {
      return false;
    }
    static_cast<void>(
        wait_for_fd(watch.get(), POLLIN, {.until = std::min(until, now + kLookAgain)}));
  }
}

}  // namespace vkhost::testing
