#include "process_figures.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

namespace vkhost::bench {
namespace {

// With a line break before the first line too.
std::string read_text(const std::filesystem::path& path) {
  const std::ifstream file(path);
  std::stringstream text;
  text << '\n' << file.rdbuf();
  return text.str();
}

// What follows a label at the beginning of a line.
std::string_view value_after(std::string_view text, const std::string& label) {
  const auto at = text.find("\n" + label);
  if (at == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = text.substr(at + 1 + label.size());
  const auto begin = rest.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view()
                                         : rest.substr(begin, rest.find('\n') - begin);
}

std::uint64_t number_after(std::string_view text, const std::string& label) {
  return std::strtoull(std::string(value_after(text, label)).c_str(), nullptr, 10);
}

double cpu_seconds(const std::filesystem::path& folder) {
  const std::string stat = read_text(folder / "stat");
  // The fields after the name, which may hold spaces: utime and stime are the 12th and 13th.
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string field;
  for (int i = 0; i < 11; ++i) {
    fields >> field;
  }
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

ThreadFigures read_thread(const std::filesystem::path& folder) {
  const std::string status = read_text(folder / "status");
  ThreadFigures thread{.name = std::string(value_after(status, "Name:")),
                       .cpu_seconds = cpu_seconds(folder),
                       .voluntary_switches = number_after(status, "voluntary_ctxt_switches:"),
                       .involuntary_switches = number_after(status, "nonvoluntary_ctxt_switches:")};
  // In nanoseconds, where the kernel keeps it: a thread at idle is far below a tick.
  const double nanoseconds = std::strtod(read_text(folder / "schedstat").c_str(), nullptr);
  if (nanoseconds > 0) {
    thread.cpu_seconds = nanoseconds / 1e9;
  }
  return thread;
}

std::string without_number(const std::string& name) {
  const auto last = name.find_last_not_of("0123456789");
  const bool is_numbered = last != std::string::npos && last + 1 < name.size() && name[last] == '-';
  return is_numbered ? name.substr(0, last + 1) + "*" : name;
}

}  // namespace

ProcessFigures read_process(pid_t pid) {
  const std::filesystem::path folder = "/proc/" + std::to_string(pid);
  ProcessFigures figures;
  const std::string status = read_text(folder / "status");
  figures.rss_mib = static_cast<double>(number_after(status, "VmRSS:")) / 1024;
  figures.anonymous_mib = static_cast<double>(number_after(status, "RssAnon:")) / 1024;
  figures.cpu_seconds = cpu_seconds(folder);
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator(folder / "task", error)) {
    figures.threads[std::atoi(task.path().filename().c_str())] = read_thread(task.path());
  }
  return figures;
}

std::map<std::string, ThreadGroup> threads_by_name(const ProcessFigures& before,
                                                   const ProcessFigures& after) {
  std::map<std::string, ThreadGroup> groups;
  for (const auto& [id, thread] : after.threads) {
    const auto earlier = before.threads.find(id);
    const ThreadFigures was = earlier == before.threads.end() ? ThreadFigures{} : earlier->second;
    ThreadGroup& group = groups[without_number(thread.name)];
    ++group.threads;
    group.cpu_seconds += thread.cpu_seconds - was.cpu_seconds;
    group.voluntary_switches += thread.voluntary_switches - was.voluntary_switches;
    group.involuntary_switches += thread.involuntary_switches - was.involuntary_switches;
  }
  return groups;
}

}  // namespace vkhost::bench
