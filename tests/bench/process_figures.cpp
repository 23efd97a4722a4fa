#include "process_figures.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace vkhost::bench {
namespace {

std::uint64_t number_after(const std::string& text, const std::string& label) {
  const auto at = text.find("\n" + label);
  return at == std::string::npos ? 0
                                 : std::strtoull(text.c_str() + at + 1 + label.size(), nullptr, 10);
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << '\n' << file.rdbuf();
  return text.str();
}

}  // namespace

ProcessFigures read_process(pid_t pid) {
  const std::filesystem::path folder = "/proc/" + std::to_string(pid);
  ProcessFigures figures;
  const std::string status = read_text(folder / "status");
  figures.rss_mib = static_cast<double>(number_after(status, "VmRSS:")) / 1024;
  figures.anonymous_mib = static_cast<double>(number_after(status, "RssAnon:")) / 1024;
  figures.threads = number_after(status, "Threads:");
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
  figures.cpu_seconds = (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator(folder / "task", error)) {
    const std::string text = read_text(task.path() / "status");
    figures.context_switches += number_after(text, "voluntary_ctxt_switches:") +
                                number_after(text, "nonvoluntary_ctxt_switches:");
  }
  return figures;
}

}  // namespace vkhost::bench
