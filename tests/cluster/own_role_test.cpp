// packaging/rbac is as much as the daemon needs, and no more: with it no request is refused, and each
// right of it that is missing shows.
#include "support/own_role.hpp"

#include "cluster/role_stories.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

namespace vkhost::testing {

void PrintTo(const RoleStory& story, std::ostream* out) { *out << story.feature; }

namespace {

using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string test_name(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return text;
}

// A service account that may do what it is granted, by its token.
class Stranger {
 public:
  Stranger() {
    Cluster& cluster = Cluster::instance();
    cluster.create(std::string(kAccounts), R"({"metadata":{"name":")" + name_ + R"("}})");
    token_ = json_at(cluster.create(path() + "/token",
                                    R"({"apiVersion":"authentication.k8s.io/v1",)"
                                    R"("kind":"TokenRequest","spec":{"expirationSeconds":3600}})"),
                     "/status/token");
  }
  ~Stranger() { static_cast<void>(Cluster::instance().api().remove(path())); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  [[nodiscard]] std::string user() const { return "system:serviceaccount:vkhost:" + name_; }
  [[nodiscard]] const std::string& token() const { return token_; }

 private:
  static constexpr std::string_view kAccounts = "/api/v1/namespaces/vkhost/serviceaccounts";

  [[nodiscard]] std::string path() const { return std::string(kAccounts) + "/" + name_; }

  const std::string name_ = Cluster::unique_name("stranger");
  std::string token_;
};

TEST(OwnRole, HasAStoryForEachFile) {
  for (const OwnRight& right : own_rights()) {
    EXPECT_NE(find_role_story(right.feature), nullptr) << right;
  }
}

class EachFeature : public ::testing::TestWithParam<RoleStory> {};

TEST_P(EachFeature, UsesAllItsRightsAndMeetsNoRefusal) {
  RoleStage stage(GetParam(), Cluster::instance().token(kDaemonUser));

  EXPECT_TRUE(GetParam().play(stage)) << stage.node().daemon().log();

  bool has_rights = false;
  for (const OwnRight& right : own_rights()) {
    if (right.feature == GetParam().feature) {
      has_rights = true;
      EXPECT_TRUE(stage.wait_for(right.label())) << right;
    }
  }
  EXPECT_TRUE(has_rights);
  static_cast<void>(stage.node().daemon().stop(kLong));  // no answer is under way any more
  EXPECT_THAT(stage.refusals(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(OwnRole,
                         EachFeature,
                         ::testing::ValuesIn(role_stories()),
                         [](const auto& each) {
                           return test_name(std::string(each.param.feature));
                         });

class EachRight : public ::testing::TestWithParam<OwnRight> {
 protected:
  // Without what another file gives too: there, it is needed as well.
  static std::vector<OwnRight> all_but(const OwnRight& missing) {
    const std::vector<OwnRight> all = own_rights();
    std::vector<OwnRight> left;
    std::copy_if(all.begin(), all.end(), std::back_inserter(left),
                 [&](const OwnRight& right) { return !right.covers(missing); });
    return left;
  }
};

TEST_P(EachRight, IsNeeded) {
  const OwnRight& missing = GetParam();
  const RoleStory* const story = find_role_story(missing.feature);
  ASSERT_NE(story, nullptr) << "nothing here uses " << missing;
  const Stranger stranger;
  const GrantedRights rights(Cluster::instance(), stranger.user(), all_but(missing));
  ASSERT_FALSE(rights.allow(missing)) << "everybody may do that";
  RoleStage stage(*story, stranger.token());

  static_cast<void>(story->play(stage));

  EXPECT_TRUE(stage.traffic().wait_for_answers(403, 1, Cluster::kSoon))
      << "nobody misses " << missing << "\n"
      << stage.node().daemon().log();
  EXPECT_THAT(stage.refusals(), Each(StartsWith(missing.label())));
}

INSTANTIATE_TEST_SUITE_P(
    OwnRole, EachRight, ::testing::ValuesIn(own_rights()), [](const auto& each) {
      const OwnRight& right = each.param;
      return test_name(right.feature + "_" + right.label() +
                       (right.namespace_name.empty() ? "" : "_in_") + right.namespace_name);
    });

}  // namespace
}  // namespace vkhost::testing
