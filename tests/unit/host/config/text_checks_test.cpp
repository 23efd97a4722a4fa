#include "config/key_type.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::config {
namespace {

TEST(QuantityCheck, FollowsTheKubernetesGrammar) {
  for (const std::string text :
       {"0", "4", "1.5", ".5", "5.", "500m", "16Gi", "1e3", "2E-6", "+1k", "-1", "10E", "3n"}) {
    EXPECT_EQ(check_quantity(text), std::nullopt) << text;
  }
  for (const std::string text :
       {"", "m", "16 Gi", "16gi", "1.2.3", "1e", "0x10", "1Kii", "e3", "NaN", "--1"}) {
    EXPECT_NE(check_quantity(text), std::nullopt) << text;
  }
}

TEST(LabelKeyCheck, WantsANameWithAnOptionalDomain) {
  for (const std::string text : {"zone", "example.com/zone", "a.b-c_D9", "kubernetes.io/os"}) {
    EXPECT_EQ(check_label_key(text), std::nullopt) << text;
  }
  for (const std::string text : {"", "/zone", "Example.com/zone", "a/b/c", "-a", "a-", "a b"}) {
    EXPECT_NE(check_label_key(text), std::nullopt) << text;
  }
  EXPECT_NE(check_label_key(std::string(64, 'a')), std::nullopt);
  EXPECT_EQ(check_label_key(std::string(63, 'a')), std::nullopt);
}

TEST(NodeNameCheck, WantsADomainName) {
  for (const std::string text : {"web-1", "ip-10-0-0-1.ec2.internal", "9"}) {
    EXPECT_EQ(check_node_name(text), std::nullopt) << text;
  }
  for (const std::string text : {"", "Web", "a_b", "a..b", ".a", "a.", "-a"}) {
    EXPECT_NE(check_node_name(text), std::nullopt) << text;
  }
}

TEST(Sha256Check, WantsSixtyFourDigits) {
  EXPECT_EQ(check_sha256(""), std::nullopt);
  EXPECT_EQ(check_sha256(std::string(64, 'A')), std::nullopt);
  EXPECT_NE(check_sha256(std::string(63, 'A')), std::nullopt);
  EXPECT_NE(check_sha256(std::string(64, 'g')), std::nullopt);
}

TEST(UrlCheck, WantsHttp) {
  EXPECT_EQ(check_http_url("https://[::1]:6443"), std::nullopt);
  EXPECT_NE(check_http_url("https://"), std::nullopt);
  EXPECT_NE(check_http_url("10.0.0.1:6443"), std::nullopt);
}

}  // namespace
}  // namespace vkhost::config
