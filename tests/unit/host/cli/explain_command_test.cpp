#include "cli_run.hpp"
#include "support/plugin_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace vkhost::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Fixture : CliRun {
  testing::PluginFiles plugins;

  // A configuration with a plugin that takes one container, or with the mock.
  std::string config(const std::string& more = {}, bool is_mock = false) {
    const fs::path library = is_mock ? plugins.copy(testing::plugin_path("mock"), "mock")
                                     : plugins.fixture("one_container");
    return folder
        .write("vkhost.toml",
               "config_version = 1\n[provider]\nlibrary = '" + library.string() + "'\n" + more)
        .string();
  }
  std::string pod(const std::string& spec, const std::string& name = "web") {
    return folder
        .write(name + ".yaml",
               "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec:\n" + spec)
        .string();
  }
};

constexpr const char* kOne = "  containers: [{name: main, image: a:1}]\n";
constexpr const char* kTwo = "  containers: [{name: main, image: a:1}, {name: more, image: b:1}]\n";

TEST(ExplainCommand, SaysThatEverythingIsHonoured) {
  Fixture cli;

  EXPECT_EQ(cli.run({"explain", cli.pod(kOne), "--config", cli.config()}), ExitCode::Ok)
      << cli.err.str();
  EXPECT_EQ(cli.out.str(), "default/web\n  everything is honoured\n");
}

TEST(ExplainCommand, NamesWhatTheProviderRefuses) {
  Fixture cli;
  const std::string config = cli.config();

  EXPECT_EQ(cli.run({"explain", cli.pod(kTwo), "-c", config}), ExitCode::Failure);
  EXPECT_EQ(cli.out.str(),
            "default/web\n"
            "  refused  /spec/containers/1: this provider runs one container of a pod\n"
            "  rejected UnsupportedFields: /spec/containers/1: this provider runs one container of "
            "a pod\n");
}

TEST(ExplainCommand, AnswersInJson) {
  Fixture cli;
  const std::string config = cli.config();

  EXPECT_EQ(cli.run({"explain", cli.pod(kTwo), "-c", config, "-o", "json"}), ExitCode::Failure);
  EXPECT_EQ(cli.out.str(),
            R"({"pods":[{"pod":"default/web","findings":[{"kind":"refused","pointer":)"
            R"("/spec/containers/1","text":"this provider runs one container of a pod"}],)"
            R"("rejected":{"reason":"UnsupportedFields","message":"/spec/containers/1: this )"
            R"(provider runs one container of a pod"}}]})"
            "\n");
}

TEST(ExplainCommand, AsksTheMockAboutItsRules) {
  Fixture cli;
  const std::string probed =
      "  containers: [{name: main, image: a:1, livenessProbe: {tcpSocket: {port: 80}}}]\n";
  const std::string file = cli.pod(probed);

  EXPECT_EQ(cli.run({"explain", file, "-c", cli.config("", true)}), ExitCode::Ok) << cli.err.str();
  EXPECT_EQ(cli.out.str(),
            "default/web\n"
            "  ignored  /spec/containers/0/livenessProbe: the provider ignores it\n");
}

TEST(ExplainCommand, NamesVolumesOfWhichTheProviderIsGivenNothing) {
  Fixture cli;
  const std::string file = cli.pod(
      "  containers: [{name: main, image: a:1, volumeMounts: [{name: v, mountPath: /v}, "
      "{name: d, mountPath: /d}]}]\n"
      "  volumes: [{name: v, secret: {secretName: s}}, "
      "{name: d, persistentVolumeClaim: {claimName: c}}]\n");

  EXPECT_EQ(cli.run({"explain", file, "-c", cli.config()}), ExitCode::Ok) << cli.err.str();
  EXPECT_EQ(cli.out.str(),
            "default/web\n"
            "  ignored  /spec/volumes/0/secret: the provider takes no files\n"
            "  ignored  /spec/volumes/1/persistentVolumeClaim: the provider takes no storage\n");
}

TEST(ExplainCommand, RefusesAVolumeThatTheHostDoesNotMake) {
  Fixture cli;
  const std::string file = cli.pod(
      "  containers: [{name: main, image: a:1, volumeMounts: [{name: v, mountPath: /v}]}]\n"
      "  volumes: [{name: v, projected: {sources: [{podCertificate: {signerName: s}}]}}]\n");
  const std::string config = cli.config("[provider.settings]\nmaterial = ['files']\n", true);

  EXPECT_EQ(cli.run({"explain", file, "-c", config}), ExitCode::Failure) << cli.err.str();
  EXPECT_THAT(cli.out.str(),
              HasSubstr("rejected UnsupportedFields: /spec/volumes/0/projected/sources/0/"
                        "podCertificate: vkhost makes no podCertificate"));
}

TEST(ExplainCommand, FollowsThePolicyOfTheConfiguration) {
  Fixture cli;
  const std::string file = cli.pod("  hostNetwork: true\n" + std::string(kOne));

  EXPECT_EQ(cli.run({"explain", file, "-c",
                     cli.config("[policies]\nunsupported_fields = 'reject'\n", true)}),
            ExitCode::Failure);
  EXPECT_THAT(cli.out.str(), HasSubstr("rejected UnsupportedFields: /spec/hostNetwork"));
}

TEST(ExplainCommand, JudgesByTheNodeOfTheConfiguration) {
  // With a library of its own each time: a process loads one once.
  const auto explain = [](const std::vector<std::string>& more, std::string& out) {
    Fixture cli;
    const std::string config = cli.config(
        "[[node]]\nname = 'small'\ncapacity = {cpu = '1', pods = '5'}\n"
        "[[node]]\nname = 'large'\ncapacity = {cpu = '8', pods = '5'}\n");
    std::vector<std::string> arguments{
        "explain",
        cli.pod("  containers: [{name: main, image: a:1, resources: {requests: {cpu: 2}}}]\n"),
        "-c", config};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ExitCode code = cli.run(arguments);
    out = cli.out.str();
    return code;
  };
  std::string out;

  EXPECT_EQ(explain({}, out), ExitCode::Failure);
  EXPECT_THAT(out, HasSubstr("rejected OutOfcpu: Node didn't have enough resource: cpu, "
                             "requested: 2000, used: 0, capacity: 1000"));
  EXPECT_EQ(explain({"--node", "large"}, out), ExitCode::Ok);
  EXPECT_EQ(explain({"--node", "none"}, out), ExitCode::Usage);
}

TEST(ExplainCommand, DoubtsALabelThatOthersMayGiveTheNode) {
  Fixture cli;
  const std::string file = cli.pod("  nodeSelector: {team: red}\n" + std::string(kOne));

  EXPECT_EQ(cli.run({"explain", file, "-c", cli.config()}), ExitCode::Ok);
  EXPECT_THAT(cli.out.str(), HasSubstr("doubtful NodeAffinity"));
}

TEST(ExplainCommand, SaysWhatIsWrongWithAFile) {
  Fixture cli;
  const std::string config = cli.config();
  const std::string other = cli.folder.write("other.yaml", "kind: Node\n").string();

  EXPECT_EQ(cli.run({"explain", other, "-c", config}), ExitCode::Failure);
  EXPECT_THAT(cli.err.str(), HasSubstr("other.yaml: document at line 1"));
  EXPECT_EQ(cli.run({"explain", "/does/not/exist.yaml", "-c", config}), ExitCode::Usage);
  EXPECT_THAT(cli.err.str(), HasSubstr("/does/not/exist.yaml: cannot be read"));
  EXPECT_EQ(cli.run({"explain", cli.pod("  containers: []\n"), "-c", config}), ExitCode::Failure);
}

TEST(ExplainCommand, WantsOneFileAndAConfiguration) {
  Fixture cli;

  EXPECT_EQ(cli.run({"explain"}), ExitCode::Usage);
  EXPECT_EQ(cli.run({"explain", "a", "b"}), ExitCode::Usage);
  EXPECT_EQ(cli.run({"explain", "a", "-o", "wide"}), ExitCode::Usage);
  EXPECT_EQ(cli.run({"explain", "a", "-c", "/does/not/exist.toml"}), ExitCode::Configuration);
}

}  // namespace
}  // namespace vkhost::cli
