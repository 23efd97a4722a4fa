#include "resolve/object_store.hpp"

#include "base/thread.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_resolve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace vkhost::resolve {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kFiles = 32;

std::string config_map(const std::string& version,
                       const std::string& value,
                       const std::string& more = "") {
  return R"({"metadata":{"resourceVersion":")" + version + R"("},"data":{"k":")" + value + "\"}" +
         more + "}";
}

class RecordingUser final : public ObjectUser {
 public:
  void object_changed(const std::string& pod_uid, std::uint64_t changes) override {
    const MutexLock lock(mutex_);
    told_.push_back(pod_uid + ":" + std::to_string(changes));
  }
  [[nodiscard]] std::vector<std::string> told() const {
    const MutexLock lock(mutex_);
    return told_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> told_ VKHOST_GUARDED_BY(mutex_);
};

class ObjectStoreTest : public ::testing::Test {
 protected:
  ObjectStoreTest() { source_.put(kKey, config_map("1", "v1")); }

  [[nodiscard]] Result<ObjectPtr> read() { return store_.read(kObject, {}); }
  [[nodiscard]] std::string value() {
    const auto object = read();
    return object ? (*object)->items.at("k").reveal() : object.status().to_string();
  }
  // As a pod does whose material was made with what is there now.
  void use(const std::string& uid, std::uint64_t changes = kFiles, bool is_awaited = false) {
    const auto object = read();
    store_.use(uid, {{kObject, changes, is_awaited, object ? *object : nullptr}},
               ObjectStore::Extent::All, user_);
  }

  inline static const std::string kKey = "ConfigMap/shop/web";
  inline static const ObjectReference kObject{ObjectKind::ConfigMap, "shop", "web"};
  testing::FakeObjectSource source_;
  testing::FakeObjectFeed feed_;
  testing::FakeClock clock_;
  RecordingUser user_;
  int untidy_ = 0;
  ObjectStore store_{{source_, clock_, &feed_, [this] { ++untidy_; }}, seconds{1}, 4096};
};

TEST_F(ObjectStoreTest, ReadsAFollowedObjectOnceHoweverManyPodsUseIt) {
  for (int i = 0; i < 50; ++i) {
    use("u-" + std::to_string(i));
    clock_.advance(seconds{10});
  }

  EXPECT_THAT(source_.reads(), SizeIs(1));
  EXPECT_THAT(feed_.followed(), ElementsAre(kKey + "@1"));
}

TEST_F(ObjectStoreTest, TellsEachPodOnceOfANewContent) {
  use("u-1");
  use("u-2");

  feed_.change(kKey, config_map("2", "v2"));
  feed_.change(kKey, config_map("3", "v2"));

  EXPECT_THAT(user_.told(), ::testing::UnorderedElementsAre("u-1:32", "u-2:32"));
  EXPECT_EQ(value(), "v2");
  EXPECT_THAT(source_.reads(), SizeIs(1));
}

TEST_F(ObjectStoreTest, TellsNobodyOfNewLabels) {
  use("u-1");

  feed_.change(kKey,
               R"({"metadata":{"resourceVersion":"2","labels":{"a":"b"}},"data":{"k":"v1"}})");

  EXPECT_THAT(user_.told(), IsEmpty());
}

TEST_F(ObjectStoreTest, TellsAPodOfWhatChangedWhileItsMaterialWasMade) {
  const auto old = read();
  use("u-1");
  feed_.change(kKey, config_map("2", "v2"));

  store_.use("u-2", {{kObject, kFiles, false, *old}}, ObjectStore::Extent::All, user_);

  EXPECT_THAT(user_.told(), ElementsAre("u-1:32", "u-2:32"));
}

TEST_F(ObjectStoreTest, KeepsTheLastVersionOfAnObjectThatIsGone) {
  use("u-1");
  source_.remove(kKey);

  feed_.end(kKey);

  EXPECT_EQ(read().status().code(), StatusCode::NotFound);
  EXPECT_EQ(store_.last(kObject)->items.at("k").reveal(), "v1");
  EXPECT_THAT(user_.told(), IsEmpty());
}

TEST_F(ObjectStoreTest, DoesNotTellForEverOfAnObjectThatOnlyAReadFindsGone) {
  use("u-1");
  feed_.be_live(false);
  source_.remove(kKey);
  clock_.advance(seconds{2});

  use("u-1");
  use("u-1");

  EXPECT_THAT(user_.told(), IsEmpty());
  EXPECT_NE(store_.last(kObject), nullptr);
}

TEST_F(ObjectStoreTest, ReadsAgainWhileNewsAreLate) {
  use("u-1");
  feed_.be_live(false);
  source_.put(kKey, config_map("2", "v2"));
  clock_.advance(seconds{2});

  EXPECT_EQ(value(), "v2");

  EXPECT_THAT(source_.reads(), SizeIs(2));
  EXPECT_THAT(user_.told(), ElementsAre("u-1:32"));
}

TEST_F(ObjectStoreTest, TrustsNewsMoreThanAnAnswerThatWasAskedForBefore) {
  use("u-1");
  feed_.be_live(false);
  clock_.advance(seconds{2});
  source_.during_next([&] {
    clock_.advance(seconds{1});
    feed_.change(kKey, config_map("2", "v2"));
  });

  EXPECT_EQ(value(), "v1");  // as the API server had it then
  use("u-1");

  EXPECT_EQ(store_.last(kObject)->items.at("k").reveal(), "v2");
  EXPECT_EQ(value(), "v2");
}

TEST_F(ObjectStoreTest, TellsOfASelectionWhenItsCertificatesAreOthers) {
  const ObjectReference bundles{ObjectKind::TrustBundles, "", "metadata.name=a\n"};
  const auto list = [](const std::string& base64) {
    return R"({"metadata":{"resourceVersion":"7"},"items":[{"spec":{"trustBundle":)"
           R"("-----BEGIN CERTIFICATE-----)" +
           base64 + R"(-----END CERTIFICATE-----"}}]})";
  };
  const std::string key = "ClusterTrustBundles//metadata.name=a\n";
  source_.put(key, list("QUE="));
  const auto given = store_.read(bundles, {});
  ASSERT_TRUE(given.is_ok()) << given.status().to_string();
  store_.use("u-1", {{bundles, kFiles, false, *given}}, ObjectStore::Extent::All, user_);

  feed_.change(key, list(" QUE="));
  EXPECT_THAT(user_.told(), IsEmpty());
  feed_.change(key, list("QkI="));

  EXPECT_THAT(user_.told(), ElementsAre("u-1:32"));
}

TEST_F(ObjectStoreTest, FollowsNothingForWhomAChangeMeansNothing) {
  use("u-1", 0);

  EXPECT_THAT(feed_.followed(), IsEmpty());
  EXPECT_EQ(store_.counts().referenced, 1U);
  EXPECT_EQ(store_.last(kObject), nullptr);
}

TEST_F(ObjectStoreTest, FollowsWhatAPodWaitsForUntilItIsThere) {
  source_.remove(kKey);
  use("u-1", 0, true);
  EXPECT_THAT(feed_.followed(), ElementsAre(kKey + "@"));

  feed_.change(kKey, config_map("5", "v1"));
  EXPECT_THAT(user_.told(), ElementsAre("u-1:0"));
  use("u-1", 0, false);
  store_.tidy();

  EXPECT_THAT(feed_.followed(), IsEmpty());
  EXPECT_THAT(source_.reads(), SizeIs(1));
}

TEST_F(ObjectStoreTest, KeepsAnImmutableObjectWithoutFollowingIt) {
  source_.put(kKey, config_map("1", "v1", R"(,"immutable":true)"));
  use("u-1");
  clock_.advance(seconds{3600});

  use("u-2");

  EXPECT_THAT(feed_.followed(), IsEmpty());
  EXPECT_THAT(source_.reads(), SizeIs(1));
  store_.forget("u-1");
  store_.forget("u-2");
  clock_.advance(seconds{2});
  EXPECT_EQ(value(), "v1");
  EXPECT_THAT(source_.reads(), SizeIs(2));
}

TEST_F(ObjectStoreTest, StopsFollowingWhatBecomesImmutable) {
  use("u-1");

  feed_.change(kKey, config_map("2", "v2", R"(,"immutable":true)"));
  EXPECT_EQ(untidy_, 1);
  store_.tidy();

  EXPECT_THAT(feed_.followed(), IsEmpty());
  EXPECT_EQ(value(), "v2");
  EXPECT_THAT(source_.reads(), SizeIs(1));
}

TEST_F(ObjectStoreTest, LetsGoOfAnObjectWithItsLastPod) {
  use("u-1");
  use("u-2");
  store_.forget("u-1");
  EXPECT_EQ(store_.counts().followed, 1U);

  store_.forget("u-2");
  store_.tidy();
  clock_.advance(seconds{2});
  store_.drop_expired();

  EXPECT_THAT(feed_.followed(), IsEmpty());
  const auto counts = store_.counts();
  EXPECT_EQ(counts.fresh + counts.referenced + counts.followed, 0U);
}

TEST_F(ObjectStoreTest, ReplacesAPodsObjectsUnlessItsMaterialFailed) {
  use("u-1");

  store_.use("u-1", {}, ObjectStore::Extent::Some, user_);
  EXPECT_EQ(store_.counts().followed, 1U);
  store_.use("u-1", {}, ObjectStore::Extent::All, user_);

  EXPECT_EQ(store_.counts().followed, 0U);
}

TEST_F(ObjectStoreTest, TellsNobodyWhoHasLeft) {
  RecordingUser other;
  use("u-1");
  store_.use("u-2", {{kObject, kFiles, false, *read()}}, ObjectStore::Extent::All, other);

  store_.leave(other);
  feed_.change(kKey, config_map("2", "v2"));

  EXPECT_THAT(other.told(), IsEmpty());
  EXPECT_THAT(user_.told(), ElementsAre("u-1:32"));
}

TEST_F(ObjectStoreTest, DoesNotTellForEverOfAnObjectThatCannotBeRead) {
  use("u-1");
  feed_.be_live(false);

  store_.use("u-2", {{kObject, 0, true, nullptr, true}}, ObjectStore::Extent::Some, user_);
  EXPECT_THAT(user_.told(), IsEmpty());
  feed_.change(kKey, config_map("2", "v2"));

  EXPECT_THAT(user_.told(), ::testing::UnorderedElementsAre("u-1:32", "u-2:0"));
}

TEST_F(ObjectStoreTest, IgnoresNewsThatCannotBeRead) {
  use("u-1");

  feed_.change(kKey, R"({"data":{"k":5}})");

  EXPECT_EQ(value(), "v1");
  EXPECT_THAT(user_.told(), IsEmpty());
}

TEST_F(ObjectStoreTest, StandsManyPodsAndNewsAtOnce) {
  use("anchor");  // so that the object stays followed
  std::vector<Thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back("pods", [this, i] {
      const std::string uid = "u-" + std::to_string(i);
      for (int round = 0; round < 200; ++round) {
        use(uid);
        if (round % 3 == 0) {
          store_.forget(uid);
        }
        store_.tidy();
      }
    });
  }
  for (int round = 0; round < 200; ++round) {
    feed_.change(kKey, config_map(std::to_string(round), "w" + std::to_string(round)));
  }
  threads.clear();

  EXPECT_EQ(value(), "w199");
  EXPECT_THAT(feed_.followed(), SizeIs(1));
  EXPECT_GE(user_.told().size(), 200U);
}

}  // namespace
}  // namespace vkhost::resolve
