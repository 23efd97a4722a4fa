// simulation_pods: runs schedules from one seed after the other, and says which ones end badly.
//
//   simulation_pods [--schedules N] [--seed S] [--threads N] [--print]
//                   [--bug NAME | --all-bugs]
//
// A failure prints the command that repeats it with everything that happened. --bug plants a bug into
// the engine first; --all-bugs plants one after the other, and fails when one is not found.
#include "base/mutex.hpp"
#include "base/thread.hpp"
#include "simulation/planted_bugs.hpp"
#include "simulation/schedule.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace vkhost::simulation {
namespace {

using planted::Bug;

struct Flags {
  std::string program;
  std::uint64_t schedules = 100'000;
  std::uint64_t seed = 1;
  std::uint64_t threads = std::max(1U, std::thread::hardware_concurrency());
  Bug bug = Bug::None;
  bool all_bugs = false;
  bool print = false;
};

std::uint64_t number(std::string_view flag, std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0) {
    throw std::runtime_error(std::string(flag) + " takes a number above 0, not '" +
                             std::string(text) + "'");
  }
  return value;
}

Bug bug_called(std::string_view name) {
  std::string all;
  for (const planted::NamedBug& known : planted::kBugs) {
    if (known.name == name) {
      return known.bug;
    }
    all += " " + std::string(known.name);
  }
  throw std::runtime_error("there is no bug called '" + std::string(name) + "'; there are:" + all);
}

std::string name_of(Bug bug) {
  const auto found = std::find_if(planted::kBugs.begin(), planted::kBugs.end(),
                                  [&](const planted::NamedBug& known) { return known.bug == bug; });
  return found == planted::kBugs.end() ? std::string() : std::string(found->name);
}

Flags read_flags(const std::vector<std::string>& words) {
  Flags flags;
  flags.program = words.at(0);
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& flag = words[i];
    if (flag == "--print") {
      flags.print = true;
      continue;
    }
    if (flag == "--all-bugs") {
      flags.all_bugs = true;
      continue;
    }
    if (i + 1 == words.size()) {
      throw std::runtime_error("unknown or without its value: " + flag);
    }
    const std::string& value = words[++i];
    if (flag == "--schedules") {
      flags.schedules = number(flag, value);
    } else if (flag == "--seed") {
      flags.seed = number(flag, value);
    } else if (flag == "--threads") {
      flags.threads = number(flag, value);
    } else if (flag == "--bug") {
      flags.bug = bug_called(value);
    } else {
      throw std::runtime_error("unknown: " + flag);
    }
  }
  return flags;
}

struct Outcome {
  std::uint64_t runs = 0;
  std::uint64_t seed = std::numeric_limits<std::uint64_t>::max();  // of the first that failed
  std::string violation;                                           // empty: none failed

  [[nodiscard]] bool failed() const { return !violation.empty(); }
};

// Threads take seeds in order, and none beyond one that has failed: so the failure with the lowest
// seed is found, the same in every run.
class Search {
 public:
  Search(const Flags& flags, Bug bug) : flags_(flags), bug_(bug), next_(flags.seed) {}

  Outcome run() {
    std::vector<Thread> threads;
    for (std::uint64_t i = 1; i < (flags_.print ? 1 : flags_.threads); ++i) {
      threads.emplace_back("simulation", [this] { take_seeds(); });
    }
    take_seeds();
    for (Thread& thread : threads) {
      thread.join();
    }
    const MutexLock lock(mutex_);
    return outcome_;
  }

 private:
  void take_seeds() {
    planted::plant(bug_);
    while (true) {
      const std::uint64_t seed = next_.fetch_add(1);
      if (seed - flags_.seed >= flags_.schedules || seed > failed_.load()) {
        return;
      }
      if (flags_.print) {
        std::cout << "seed " << seed << '\n';
      }
      note(seed, run_schedule(seed, flags_.print ? &std::cout : nullptr));
    }
  }

  void note(std::uint64_t seed, const std::string& violation) {
    const MutexLock lock(mutex_);
    ++outcome_.runs;
    if (!violation.empty() && seed < outcome_.seed) {
      outcome_.seed = seed;
      outcome_.violation = violation;
      failed_.store(seed);
    }
  }

  const Flags& flags_;
  const Bug bug_;
  std::atomic<std::uint64_t> next_;
  std::atomic<std::uint64_t> failed_{std::numeric_limits<std::uint64_t>::max()};
  Mutex mutex_;
  Outcome outcome_ VKHOST_GUARDED_BY(mutex_);
};

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void print_replay(const Flags& flags, Bug bug, std::uint64_t seed) {
  std::cout << "  replay: " << flags.program << " --seed " << seed << " --schedules 1 --print";
  if (bug != Bug::None) {
    std::cout << " --bug " << name_of(bug);
  }
  std::cout << std::endl;
}

bool search(const Flags& flags) {
  const auto begin = std::chrono::steady_clock::now();
  const Outcome outcome = Search(flags, flags.bug).run();
  const double passed = seconds_since(begin);
  std::cout << outcome.runs << " schedules in " << passed << " s, "
            << static_cast<std::uint64_t>(static_cast<double>(outcome.runs) / passed)
            << " per second\n";
  if (outcome.failed()) {
    std::cout << "FAILED: seed " << outcome.seed << ": " << outcome.violation << '\n';
    print_replay(flags, flags.bug, outcome.seed);
  }
  return !outcome.failed();
}

bool find_all_bugs(const Flags& flags) {
  bool all_found = true;
  for (const planted::NamedBug& bug : planted::kBugs) {
    const auto begin = std::chrono::steady_clock::now();
    const Outcome outcome = Search(flags, bug.bug).run();
    if (!outcome.failed()) {
      all_found = false;
      std::cout << "FAILED: " << bug.name << " was not found in " << outcome.runs << " schedules\n";
      continue;
    }
    std::cout << bug.name << ": found by schedule " << outcome.seed - flags.seed + 1 << " in "
              << seconds_since(begin) << " s: " << outcome.violation << '\n';
    print_replay(flags, bug.bug, outcome.seed);
  }
  return all_found;
}

}  // namespace
}  // namespace vkhost::simulation

int main(int argc, char** argv) {
  using namespace vkhost::simulation;  // NOLINT(google-build-using-namespace)
  try {
    const Flags flags = read_flags({argv, argv + argc});
    return (flags.all_bugs ? find_all_bugs(flags) : search(flags)) ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "simulation_pods: " << error.what() << '\n';
    return 2;
  }
}
