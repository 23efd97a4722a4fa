#include <vkhost/cpp/host.hpp>
#include <vkhost/cpp/host_extensions.hpp>
#include <vkhost/support/fake_host.hpp>

#include <gtest/gtest.h>

#include <string>

namespace vkhost::sdk {
namespace {

TEST(Host, LogsWithPodAndFields) {
  FakeHost fake;

  Host(fake.raw()).log(LogLevel::Warn, "odd", "uid-1", R"({"tries":3})");

  const auto logs = fake.logs();
  ASSERT_EQ(logs.size(), 1U);
  EXPECT_EQ(logs[0].level, LogLevel::Warn);
  EXPECT_EQ(logs[0].message, "odd");
  EXPECT_EQ(logs[0].pod_uid, "uid-1");
  EXPECT_EQ(logs[0].fields_json, R"({"tries":3})");
}

TEST(Host, PushesAnErrorWithItsAdvice) {
  FakeHost fake;
  const Error error = Error(Code::Unavailable, "NoCapacity", "try later").never_retry();
  PodChange change;
  change.uid = "uid-1";
  change.error = &error;

  EXPECT_EQ(Host(fake.raw()).pod_changed(change), Code::Ok);

  const auto pushes = fake.pushes();
  ASSERT_EQ(pushes.size(), 1U);
  ASSERT_TRUE(pushes[0].error);
  EXPECT_EQ(pushes[0].error->code, Code::Unavailable);
  EXPECT_EQ(pushes[0].error->reason, "NoCapacity");
  EXPECT_EQ(pushes[0].error->retry, Retry::Never);
}

TEST(Host, PassesOnWhatTheHostAnswers) {
  FakeHost fake;
  fake.answer_pushes(Code::NotFound);
  fake.answer_handles(Code::Unavailable);
  const Host host(fake.raw());

  EXPECT_EQ(host.pod_changed({}), Code::NotFound);
  EXPECT_EQ(host.save_handle("uid-1", "h"), Code::Unavailable);
  EXPECT_TRUE(fake.handles().empty());
}

TEST(Host, SavesHandlesAndAnnouncesTheNode) {
  FakeHost fake;
  const Host host(fake.raw());

  EXPECT_EQ(host.save_handle("uid-1", "h"), Code::Ok);
  EXPECT_EQ(host.node_changed(), Code::Ok);

  EXPECT_EQ(fake.handles().at("uid-1"), "h");
  EXPECT_EQ(fake.node_changes(), 1U);
}

TEST(Host, NamesAnExtensionThatIsMissing) {
  FakeHost fake;
  const Host host(fake.raw());

  EXPECT_EQ(host.extension<vkp_host_events>(), nullptr);
  try {
    static_cast<void>(host.require_extension<vkp_host_events>());
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::FailedPrecondition);
    EXPECT_NE(std::string(error.what()).find(VKP_EXT_HOST_EVENTS), std::string::npos);
  }
}

TEST(Sequence, GrowsFromOne) {
  Sequence sequence;

  EXPECT_EQ(sequence.next(), 1U);
  EXPECT_EQ(sequence.next(), 2U);
}

}  // namespace
}  // namespace vkhost::sdk
