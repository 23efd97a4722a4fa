#include "cli/provider_config.hpp"

#include "config/settings_document.hpp"
#include "support/test_folder.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::cli {
namespace {

struct Fixture {
  testing::TestFolder folder;
  config::Problems problems;

  std::string read(std::string_view name, std::string_view text) {
    const auto value = read_provider_config(folder.write(name, text), problems);
    return value ? config::SettingsDocument(*value).json().reveal() : "none";
  }
};

TEST(ReadProviderConfig, TellsFormatsApartByTheName) {
  Fixture fixture;

  EXPECT_EQ(fixture.read("a.toml", "region = 'eu'\n"), R"({"region":"eu"})");
  EXPECT_EQ(fixture.read("a.json", R"({"region":"eu"})"), R"({"region":"eu"})");
  EXPECT_EQ(fixture.read("a.yaml", "region: eu\nzones:\n  - a\n"),
            R"({"region":"eu","zones":["a"]})");
  EXPECT_TRUE(fixture.problems.empty()) << fixture.problems.to_string();
}

TEST(ReadProviderConfig, TellsFormatsApartByWhatTheyHold) {
  Fixture fixture;

  EXPECT_EQ(fixture.read("toml", "region = 'eu'\n"), R"({"region":"eu"})");
  EXPECT_EQ(fixture.read("json", "\n {\"region\":\"eu\"}"), R"({"region":"eu"})");
  EXPECT_EQ(fixture.read("yaml", "region: eu\n"), R"({"region":"eu"})");
  EXPECT_TRUE(fixture.problems.empty()) << fixture.problems.to_string();
}

TEST(ReadProviderConfig, WantsOneTable) {
  Fixture fixture;

  for (const char* text : {"- a\n", "a: 1\n---\nb: 2\n", "a: [\n"}) {
    fixture.problems = {};
    EXPECT_EQ(fixture.read("a.yaml", text), "none") << text;
    EXPECT_TRUE(fixture.problems.has_errors()) << text;
  }
  fixture.problems = {};
  EXPECT_FALSE(read_provider_config(fixture.folder.path() / "absent", fixture.problems));
  EXPECT_EQ(fixture.problems.list().size(), 1U);
}

}  // namespace
}  // namespace vkhost::cli
