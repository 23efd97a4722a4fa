// start: from the start of the process until the API shows its node Ready, next to what a raw client
// needs for the requests that this cannot do without.
//
//   start [--runs 20]
#include "flags.hpp"
#include "starts.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <vector>

namespace vkhost::bench {
namespace {

void run(const Flags& flags) {
  Starts starts(testing::Cluster::instance());
  std::vector<double> raw;
  std::vector<double> ours;
  for (int i = 0; i < flags.number("--runs"); ++i) {
    ours.push_back(starts.daemon_run().count());
    raw.push_back(starts.raw_run().count());
  }
  const auto [fastest, slowest] = std::minmax_element(ours.begin(), ours.end());
  std::printf("%d runs\n", flags.number("--runs"));
  std::printf("  start until Ready      %8.1f ms (median; %.1f to %.1f)\n", median(ours), *fastest,
              *slowest);
  std::printf("  raw API round trips    %8.1f ms (median)\n", median(raw));
  std::printf("  difference             %8.1f ms\n", median(ours) - median(raw));
}

}  // namespace
}  // namespace vkhost::bench

int main(int argc, char** argv) {
  try {
    vkhost::bench::run({argc, argv, {.numbers = {{"--runs", 20}}}});
    return 0;
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "start: %s\n", error.what()));
    return 1;
  }
}
