#include "resolve/objects.hpp"

#include "support/fake_clock.hpp"
#include "support/fake_resolve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vkhost::resolve {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class ObjectsTest : public ::testing::Test {
 protected:
  testing::FakeObjectSource source_;
  testing::FakeClock clock_;
  Objects objects_{{source_, clock_}, seconds{1}, 4096};
};

TEST_F(ObjectsTest, KeepsKindsAndNamespacesApart) {
  source_.put("ConfigMap/a/x", R"({"data":{"k":"map"}})");
  source_.put("Secret/a/x", R"({"stringData":{"k":"secret"}})");
  source_.put("Secret/b/x", R"({"stringData":{"k":"other"}})");

  EXPECT_EQ((*objects_.read(ObjectKind::ConfigMap, "a", "x", {}))->items.at("k").reveal(), "map");
  EXPECT_EQ((*objects_.read(ObjectKind::Secret, "a", "x", {}))->items.at("k").reveal(), "secret");
  EXPECT_EQ((*objects_.read(ObjectKind::Secret, "b", "x", {}))->items.at("k").reveal(), "other");
}

TEST_F(ObjectsTest, ReadsAgainAfterTheMomentAndAfterFailures) {
  source_.put("Secret/a/x", "{}");
  source_.fail("Secret/a/x", unavailable("no answer"));
  EXPECT_EQ(objects_.read(ObjectKind::Secret, "a", "x", {}).status().code(),
            StatusCode::Unavailable);
  source_.heal("Secret/a/x");
  EXPECT_TRUE(objects_.read(ObjectKind::Secret, "a", "x", {}).is_ok());
  clock_.advance(milliseconds{999});
  EXPECT_TRUE(objects_.read(ObjectKind::Secret, "a", "x", {}).is_ok());
  EXPECT_THAT(source_.reads(), SizeIs(2));

  clock_.advance(milliseconds{1});

  EXPECT_TRUE(objects_.read(ObjectKind::Secret, "a", "x", {}).is_ok());
  EXPECT_THAT(source_.reads(), SizeIs(3));
}

TEST_F(ObjectsTest, KeepsNoObjectThatIsTooLarge) {
  source_.put("ConfigMap/a/big", R"({"data":{"k":")" + std::string(5000, 'x') + R"("}})");

  EXPECT_TRUE(objects_.read(ObjectKind::ConfigMap, "a", "big", {}).is_ok());
  EXPECT_TRUE(objects_.read(ObjectKind::ConfigMap, "a", "big", {}).is_ok());

  EXPECT_THAT(source_.reads(), SizeIs(2));
}

TEST_F(ObjectsTest, KeepsNothingWhenToldSo) {
  Objects fresh({source_, clock_}, milliseconds{0}, 4096);
  source_.put("Secret/a/x", "{}");

  EXPECT_TRUE(fresh.read(ObjectKind::Secret, "a", "x", {}).is_ok());
  EXPECT_TRUE(fresh.read(ObjectKind::Secret, "a", "x", {}).is_ok());

  EXPECT_THAT(source_.reads(), SizeIs(2));
}

TEST_F(ObjectsTest, ReadsTheServicesOfANamespaceOnce) {
  EXPECT_TRUE(objects_.service_variables("a", true, {}).is_ok());
  EXPECT_TRUE(objects_.service_variables("a", true, {}).is_ok());
  EXPECT_TRUE(objects_.service_variables("b", false, {}).is_ok());
  EXPECT_TRUE(objects_.service_variables("c", false, {}).is_ok());

  EXPECT_THAT(source_.reads(), ElementsAre("Services/a", "Service/default/kubernetes",
                                           "Service/default/kubernetes"));
}

TEST_F(ObjectsTest, FindsTheApiServerInTheListOfItsOwnNamespace) {
  EXPECT_TRUE(objects_.service_variables("default", true, {}).is_ok());

  EXPECT_THAT(source_.reads(), ElementsAre("Services/default"));
}

TEST_F(ObjectsTest, FailsRatherThanForgetTheApiServer) {
  source_.fail("Service/default/kubernetes", unavailable("no answer"));

  EXPECT_EQ(objects_.service_variables("a", true, {}).status().code(), StatusCode::Unavailable);
}

TEST_F(ObjectsTest, DropsWhatIsExpired) {
  source_.put("Secret/a/x", R"({"stringData":{"k":"v"}})");
  const std::weak_ptr<const ReferencedObject> kept =
      *objects_.read(ObjectKind::Secret, "a", "x", {});
  objects_.drop_expired();
  EXPECT_FALSE(kept.expired());

  clock_.advance(seconds{1});
  objects_.drop_expired();

  EXPECT_TRUE(kept.expired());
}

}  // namespace
}  // namespace vkhost::resolve
