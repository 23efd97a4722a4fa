#include "doctor/address_checks.hpp"

#include "findings.hpp"
#include "http/listener.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <string>
#include <vector>

namespace vkhost::doctor {
namespace {

using ::testing::HasSubstr;

struct AddressChecks : ::testing::Test {
  AddressChecks() {
    config.nodes.resize(1);
    config.nodes[0].name = "web-1";
    config.kubelet.listen = config::Listen{"127.0.0.1", 0, 0, false};
    config.health.listen.off = true;
    config.paths.runtime = folder.path() / "runtime";
  }
  void use_port(int port) {
    config.kubelet.listen->first_port = static_cast<std::uint16_t>(port);
    config.kubelet.listen->last_port = static_cast<std::uint16_t>(port);
  }
  void given_daemon(std::int64_t process, int port) {
    daemon::RuntimeFile file;
    file.pid = process;
    file.token = Secret("token");
    file.nodes = {{"web-1", "127.0.0.1", static_cast<std::uint16_t>(port)}};
    ASSERT_TRUE(daemon::write_runtime_file(config.paths.runtime, file).is_ok());
  }
  Finding look_at(const std::string& address) const {
    Report report;
    check_addresses(config, {address}, report);
    return only(report);
  }
  Report look_at_ports() const {
    Report report;
    check_ports(config, *running_daemon(config.paths), report);
    return report;
  }

  const testing::TestFolder folder;
  config::Config config;
};

TEST_F(AddressChecks, KnowAnAddressOfThisMachine) {
  config.standalone.enabled = true;

  EXPECT_EQ(look_at("127.0.0.1").verdict, Verdict::Ok);
}

TEST_F(AddressChecks, WarnOfOneThatOnlyThisMachineReaches) {
  const Finding finding = look_at("127.0.0.1");

  EXPECT_EQ(finding.verdict, Verdict::Warning);
  EXPECT_THAT(finding.advice, HasSubstr("kubelet.advertised_address"));
}

TEST_F(AddressChecks, WarnOfOneThatNoInterfaceHas) {
  const Finding finding = look_at("192.0.2.1");  // set aside for documentation

  EXPECT_EQ(finding.verdict, Verdict::Warning);
  EXPECT_THAT(finding.found, HasSubstr("no interface"));
}

TEST_F(AddressChecks, NameWhatIsNoAddress) {
  EXPECT_EQ(look_at("web-1.example").verdict, Verdict::Problem);
}

TEST_F(AddressChecks, AreContentWithAnyPort) {
  EXPECT_EQ(only(look_at_ports()).verdict, Verdict::Ok);
}

TEST_F(AddressChecks, NameAPortThatSomebodyElseHas) {
  const auto other = http::bind_listener("127.0.0.1", 0);
  ASSERT_TRUE(other.is_ok());
  use_port(other->port);

  const Finding finding = only(look_at_ports());

  EXPECT_EQ(finding.verdict, Verdict::Problem);
  EXPECT_THAT(finding.checked, HasSubstr("node web-1: " + std::to_string(other->port)));
  EXPECT_THAT(finding.advice, HasSubstr("kubelet.listen"));
}

TEST_F(AddressChecks, LetGoOfAPortThatTheyTried) {
  const int port = http::bind_listener("127.0.0.1", 0)->port;
  use_port(port);

  EXPECT_EQ(only(look_at_ports()).verdict, Verdict::Ok);

  EXPECT_TRUE(http::bind_listener("127.0.0.1", port).is_ok());
}

TEST_F(AddressChecks, KnowThePortOfTheDaemonThatRuns) {
  const auto own = http::bind_listener("127.0.0.1", 0);
  ASSERT_TRUE(own.is_ok());
  use_port(own->port);
  given_daemon(::getpid(), own->port);

  const Finding finding = only(look_at_ports());

  EXPECT_EQ(finding.verdict, Verdict::Ok);
  EXPECT_THAT(finding.found, HasSubstr("process " + std::to_string(::getpid())));
}

TEST_F(AddressChecks, TakeTheFileOfADaemonThatWasKilledForNone) {
  given_daemon(0x7ffffffe, 10250);  // above the largest that Linux gives

  const auto running = running_daemon(config.paths);

  ASSERT_TRUE(running.is_ok()) << running.status().to_string();
  EXPECT_FALSE(running->has_value());
}

TEST_F(AddressChecks, NameARangeThatIsTooSmall) {
  config.nodes.resize(2);
  config.nodes[1].name = "web-2";
  use_port(http::bind_listener("127.0.0.1", 0)->port);

  const Report report = look_at_ports();

  ASSERT_EQ(report.findings().size(), 2U);
  EXPECT_EQ(report.findings()[1].verdict, Verdict::Problem);
  EXPECT_THAT(report.findings()[1].found, HasSubstr("fewer ports"));
}

TEST_F(AddressChecks, LookAtTheHealthEndpointsToo) {
  const auto other = http::bind_listener("127.0.0.1", 0);
  ASSERT_TRUE(other.is_ok());
  const auto port = static_cast<std::uint16_t>(other->port);
  config.health.listen = {"127.0.0.1", port, port, false};

  const Report report = look_at_ports();

  ASSERT_EQ(report.findings().size(), 2U);
  EXPECT_EQ(report.findings()[1].verdict, Verdict::Problem);
  EXPECT_THAT(report.findings()[1].advice, HasSubstr("health.listen"));
}

}  // namespace
}  // namespace vkhost::doctor
