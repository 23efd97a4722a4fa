#include "kube/replaceable_credentials.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vkhost::kube {
namespace {

// Shows one token, and remembers what was rejected.
class OneToken final : public Credentials {
 public:
  OneToken(std::string token, std::uint64_t generation)
      : token_(std::move(token)), generation_(generation) {}
  Result<Identity> current(Deadline /*deadline*/, const CancelToken& /*cancel*/) override {
    if (token_.empty()) {
      return Status(StatusCode::Unauthenticated, "nothing to show");
    }
    return Identity{Secret(token_), {}, std::make_shared<const http::ClientTls>(), generation_};
  }
  void reject(std::uint64_t generation) override { rejected.push_back(generation); }

  std::vector<std::uint64_t> rejected;

 private:
  const std::string token_;
  const std::uint64_t generation_;
};

TEST(ReplaceableCredentials, ShowTheIdentityOfTheirSource) {
  ReplaceableCredentials credentials(std::make_shared<OneToken>("a", 3));

  const auto identity = credentials.current(Deadline::never(), {});

  ASSERT_TRUE(identity.is_ok());
  EXPECT_EQ(identity->authorization.reveal(), "a");
}

TEST(ReplaceableCredentials, ShowTheNextOneWithAHigherGeneration) {
  ReplaceableCredentials credentials(std::make_shared<OneToken>("a", 7));
  const auto before = credentials.current(Deadline::never(), {});

  credentials.replace(std::make_shared<OneToken>("b", 1));
  const auto after = credentials.current(Deadline::never(), {});

  ASSERT_TRUE(before.is_ok());
  ASSERT_TRUE(after.is_ok());
  EXPECT_EQ(after->authorization.reveal(), "b");
  EXPECT_GT(after->generation, before->generation);
}

TEST(ReplaceableCredentials, RejectNothingOfTheNextSourceForTheSakeOfTheFirst) {
  const auto first = std::make_shared<OneToken>("a", 7);
  const auto second = std::make_shared<OneToken>("b", 1);
  ReplaceableCredentials credentials(first);
  const auto before = credentials.current(Deadline::never(), {});
  ASSERT_TRUE(before.is_ok());
  credentials.replace(second);

  credentials.reject(before->generation);
  EXPECT_TRUE(second->rejected.empty());
  const auto after = credentials.current(Deadline::never(), {});
  ASSERT_TRUE(after.is_ok());
  credentials.reject(after->generation);

  EXPECT_EQ(second->rejected, std::vector<std::uint64_t>{1});
  EXPECT_TRUE(first->rejected.empty());
}

TEST(ReplaceableCredentials, TellWhyThereIsNothingToShow) {
  ReplaceableCredentials credentials(std::make_shared<OneToken>("", 1));

  EXPECT_EQ(credentials.current(Deadline::never(), {}).status().code(),
            StatusCode::Unauthenticated);
}

}  // namespace
}  // namespace vkhost::kube
