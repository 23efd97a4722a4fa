// Every case with every provider that this tree builds.
#include "conformance/cases.hpp"
#include "support/places.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>

#include <stdlib.h>

#include <memory>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

namespace vkhost::conformance {

// For GoogleTest, which prints the bytes of what it does not know.
static void PrintTo(const Subject& subject, std::ostream* out) { *out << subject.name; }
static void PrintTo(const Case& at, std::ostream* out) { *out << at.name; }

namespace {

std::vector<Subject> subjects() {
  Subject minimal;
  minimal.name = "minimal";
  minimal.library = vkhost::testing::fixture_path("minimal");
  Subject mock;
  mock.name = "mock";
  mock.library = vkhost::testing::plugin_path("mock");
  mock.settings_json = R"({"state_dir":"{state}"})";
  mock.survives_process = true;
  return {minimal, mock};
}

using Parameter = std::tuple<Subject, Case>;

std::vector<Parameter> combinations() {
  std::vector<Parameter> all;
  for (const Subject& subject : subjects()) {
    for (const Case& at : all_cases()) {
      if (subject.survives_process || !at.needs_surviving_state) {
        all.emplace_back(subject, at);
      }
    }
  }
  return all;
}

std::string name_of(const ::testing::TestParamInfo<Parameter>& info) {
  return std::get<Subject>(info.param).name + "_" + std::string(std::get<Case>(info.param).name);
}

class Conformance : public ::testing::TestWithParam<Parameter> {};

TEST_P(Conformance, Holds) {
  const auto& [subject, at] = GetParam();
  const vkhost::testing::TestFolder state;
  Bench bench(subject, state.path());

  at.run(bench);
  bench.stop();
  bench.destroy();

  for (const std::string& problem : bench.problems()) {
    ADD_FAILURE() << "promise: " << at.promise << "\n" << problem;
  }
  if (HasFailure()) {
    for (const std::string& line : bench.log().lines()) {
      std::printf("%s\n", line.c_str());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Providers, Conformance, ::testing::ValuesIn(combinations()), name_of);

}  // namespace
}  // namespace vkhost::conformance
