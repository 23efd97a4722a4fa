// restart: the daemon is killed while so many pods run, and started again: until its node is Ready, for
// which it has to know all of them again, and what it tells the back end about pods that have not
// changed, which should be nothing.
//
//   restart [--pods 5000] [--runs 5]
#include "flags.hpp"
#include "starts.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace vkhost::bench {
namespace {

std::map<std::string, int> calls_so_far(const testing::MockJournal& journal) {
  std::map<std::string, int> counts;
  for (const testing::MockCall& call : journal.calls()) {
    ++counts[call.call];
  }
  return counts;
}

void run(const Flags& flags) {
  const int pods = flags.number("--pods");
  Starts starts(testing::Cluster::instance());
  starts.run_pods(pods);
  auto before = calls_so_far(starts.journal());
  const std::size_t living = starts.journal().living().size();
  std::vector<double> took;
  for (int i = 0; i < flags.number("--runs"); ++i) {
    took.push_back(starts.daemon_run().count());
  }
  auto after = calls_so_far(starts.journal());
  const auto [fastest, slowest] = std::minmax_element(took.begin(), took.end());
  std::printf("%d pods, %d restarts\n", pods, flags.number("--runs"));
  std::printf("  start until Ready      %8.1f ms (median; %.1f to %.1f)\n", median(took), *fastest,
              *slowest);
  for (const char* call : {"create_pod", "update_pod", "delete_pod"}) {
    std::printf("  %-10s calls       %8d\n", call, after[call] - before[call]);
  }
  std::printf("  workloads              %8zu (%zu before)\n", starts.journal().living().size(),
              living);
}

}  // namespace
}  // namespace vkhost::bench

int main(int argc, char** argv) {
  try {
    vkhost::bench::run({argc, argv, {.numbers = {{"--pods", 5000}, {"--runs", 5}}}});
    return 0;
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "restart: %s\n", error.what()));
    return 1;
  }
}
