#include "node/lease_object.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vkhost::node {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Lease, NamesTheNodeAsItsOwnerAgainAfterTheNodeWasMadeAnew) {
  const LeaseSources sources{"virtual", "uid-2", std::chrono::seconds{40},
                             WallTime(std::chrono::seconds{1'767'323'045})};

  const auto lease = renewed_lease(
      sources,
      R"({"metadata":{"resourceVersion":"7","ownerReferences":[{"name":"virtual","uid":"uid-1"}]},)"
      R"("spec":{"holderIdentity":"virtual"}})");

  ASSERT_TRUE(lease.is_ok());
  EXPECT_THAT(*lease, HasSubstr(R"("uid":"uid-2")"));
  EXPECT_THAT(*lease, Not(HasSubstr("uid-1")));
  EXPECT_THAT(*lease, HasSubstr(R"("resourceVersion":"7")"));
  EXPECT_THAT(*lease, HasSubstr(R"("renewTime":"2026-01-02T03:04:05.000000Z")"));
  EXPECT_THAT(*lease, HasSubstr(R"("leaseDurationSeconds":40)"));
}

}  // namespace
}  // namespace vkhost::node
