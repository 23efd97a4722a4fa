#include "config/load.hpp"

#include "config/settings_tree.hpp"
#include "support/places.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace vkhost::config {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

Environment environment(std::map<std::string, std::string> variables = {}) {
  variables.emplace("HOME", "/home/me");
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

// A folder of its own for each test.
class Load : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "vkhost-config-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  Loaded load_text(const std::string& text) {
    std::ofstream(folder_ / "vkhost.toml") << text;
    sources_.file = folder_ / "vkhost.toml";
    return load(sources_);
  }

  fs::path folder_;
  Sources sources_{std::nullopt, environment(), Value(Table{}, Place{}), false};
};

TEST_F(Load, ReadsSeveralNodesAndProviders) {
  const Loaded loaded = load_text(R"(
    config_version = 1
    [[provider]]
    name = "mock"
    [provider.settings]
    log_lines = 3
    [[provider]]
    name = "salad"
    library = "vkhost-saladcloud"
    [[node]]
    name = "a"
    provider = "mock"
    capacity = { cpu = 4, "example.com/gpu" = "1" }
    [[node]]
    name = "b"
    provider = "salad"
    taints = []
    [kubelet]
    listen = "0.0.0.0:10300-10301"
    client-ca-file = "ca.pem"
  )");

  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.to_string();
  const Config& config = loaded.config;
  EXPECT_EQ(config.providers[0].settings.json().reveal(), R"({"log_lines":3})");
  EXPECT_EQ(config.providers[1].library, "vkhost-saladcloud");
  EXPECT_EQ(config.nodes[0].capacity, (Quantities{{"cpu", "4"}, {"example.com/gpu", "1"}}));
  EXPECT_EQ(config.nodes[1].taints, std::vector<Taint>{});
  EXPECT_EQ(config.nodes[1].port, 10301);
  EXPECT_EQ(config.kubelet.client_ca_file, folder_ / "ca.pem");
}

TEST_F(Load, KnowsThatABootstrapKubeconfigIsForOneNode) {
  const std::string start =
      "config_version = 1\nprovider.name = 'mock'\n"
      "kubernetes.bootstrap_kubeconfig = 'bootstrap'\n";

  const Loaded one = load_text(start + "[node]\nname = 'a'\n");
  const Loaded two = load_text(start + "[[node]]\nname = 'a'\n[[node]]\nname = 'b'\n");

  EXPECT_TRUE(one.problems.empty()) << one.problems.to_string();
  EXPECT_EQ(one.config.kubernetes.bootstrap_kubeconfig, folder_ / "bootstrap");
  EXPECT_NE(two.problems.to_string().find("kubernetes.bootstrap_kubeconfig"), std::string::npos);
}

TEST_F(Load, LetsAFlagWinOverTheFileAndTheFileOverTheEnvironment) {
  sources_.environment = environment(
      {{"DEFAULT_NODE_NAME", "from-environment"}, {"KUBELET_PORT", "1"}, {"KUBECONFIG", "/kube"}});
  put_setting(sources_.flags, "kubelet.listen",
              Value(std::string(":3"), place_of_setting("--flag")));

  const Loaded loaded = load_text(
      "config_version = 1\nprovider.name = 'mock'\nnode.name = 'from-file'\n"
      "kubelet.listen = ':2'\n");

  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.to_string();
  EXPECT_EQ(loaded.config.nodes[0].name, "from-file");
  EXPECT_EQ(loaded.config.kubelet.listen->first_port, 3);
  EXPECT_EQ(loaded.config.kubernetes.kubeconfig, "/kube");
}

TEST_F(Load, BlamesAVariableForItsValue) {
  sources_.environment = environment({{"KUBELET_PORT", "http"}});

  const Loaded loaded = load_text("config_version = 1\nprovider.name = 'mock'\n");

  EXPECT_EQ(loaded.problems.to_string(),
            "environment variable KUBELET_PORT: kubelet.listen: expected address and port such as "
            "\"127.0.0.1:10250\", or a range of ports (\":10250-10299\"), found \":http\"\n");
}

TEST_F(Load, SaysWhyAFileCannotBeRead) {
  sources_.file = folder_ / "absent.toml";

  EXPECT_EQ(load(sources_).problems.to_string(),
            sources_.file->string() + ": cannot open the file: No such file or directory\n");

  sources_.file = folder_;
  EXPECT_EQ(load(sources_).problems.to_string(),
            folder_.string() + ": cannot read the file: Is a directory\n");
}

TEST_F(Load, RefusesAHugeFile) {
  const Loaded loaded = load_text(std::string(std::size_t{5} * 1024 * 1024, '#'));

  EXPECT_EQ(loaded.problems.to_string(),
            sources_.file->string() + ": the file is larger than 4 MiB\n");
}

TEST_F(Load, WarnsOfAFileThatEverybodyMayWrite) {
  load_text("config_version = 1\nprovider.name = 'mock'\n");
  fs::permissions(*sources_.file, fs::perms::others_write, fs::perm_options::add);

  const Loaded loaded = load(sources_);

  EXPECT_FALSE(loaded.problems.has_errors());
  EXPECT_FALSE(loaded.problems.empty());
}

TEST_F(Load, ReadsSettingsFilesInTomlAndJson) {
  std::ofstream(folder_ / "a.json") << R"({"region": "eu"})";
  std::ofstream(folder_ / "b.conf") << " \n{\"region\": \"eu\"}";
  std::ofstream(folder_ / "c.toml") << "region = 'eu'";
  std::ofstream(folder_ / "d.json") << "[1]";
  Problems problems;

  for (const char* name : {"a.json", "b.conf", "c.toml"}) {
    const auto value = read_settings_file(folder_ / name, problems);
    ASSERT_TRUE(value) << problems.to_string();
    EXPECT_EQ(*value->find("region")->as<std::string>(), "eu");
  }
  EXPECT_TRUE(problems.empty());
  EXPECT_FALSE(read_settings_file(folder_ / "d.json", problems));
  EXPECT_TRUE(problems.has_errors());
}

std::string contents(const fs::path& file) {
  const std::ifstream in(file);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<fs::path> wrong_files() {
  std::vector<fs::path> files;
  for (const auto& entry :
       fs::directory_iterator(testing::source_dir() / "tests/fixtures/config/wrong")) {
    if (entry.path().extension() == ".toml") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

class WrongFile : public ::testing::TestWithParam<fs::path> {};

// Each tests/fixtures/config/wrong/NAME.toml has all its problems in NAME.txt. VKHOST_UPDATE_GOLDEN=1
// writes those files anew.
TEST_P(WrongFile, HasTheseProblems) {
  const fs::path& file = GetParam();
  const Sources sources{file, environment(), Value(Table{}, Place{}), false};

  std::string problems = load(sources).problems.to_string();

  const std::string folder = file.parent_path().string() + '/';
  for (auto at = problems.find(folder); at != std::string::npos; at = problems.find(folder)) {
    problems.erase(at, folder.size());
  }
  const fs::path golden = fs::path(file).replace_extension(".txt");
  if (std::getenv("VKHOST_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(golden) << problems;
  }
  EXPECT_EQ(problems, contents(golden));
  EXPECT_FALSE(problems.empty());
}

std::string name_of_file(const ::testing::TestParamInfo<fs::path>& file) {
  std::string name = file.param.stem().string();
  std::erase(name, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(, WrongFile, ::testing::ValuesIn(wrong_files()), name_of_file);

}  // namespace
}  // namespace vkhost::config
