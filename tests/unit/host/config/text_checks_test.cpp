#include "config/key_type.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::config {
namespace {

TEST(QuantityCheck, FollowsTheKubernetesGrammar) {
  for (const std::string text :
       {"0", "4", "1.5", ".5", "5.", "500m", "16Gi", "1e3", "2E-6", "+1k", "10E", "3n"}) {
    EXPECT_EQ(check_quantity(text), std::nullopt) << text;
  }
  for (const std::string text :
       {"", "m", "16 Gi", "16gi", "1.2.3", "1e", "0x10", "1Kii", "e3", "NaN", "-1", "-5Gi"}) {
    EXPECT_NE(check_quantity(text), std::nullopt) << text;
  }
}

TEST(QuantityCheck, KnowsWhatIsPlainlyWhole) {
  for (const std::string text : {"0", "4", "2k", "1Gi", "1e3"}) {
    EXPECT_TRUE(is_whole_quantity(text)) << text;
  }
  for (const std::string text : {"1.5", "500m", "3n", "1e-3", "2E-6", "-1", ""}) {
    EXPECT_FALSE(is_whole_quantity(text)) << text;
  }
}

TEST(ResourceCheck, KnowsWhatIsCounted) {
  for (const std::string name : {"pods", "example.com/gpu", "notkubernetes.io/x"}) {
    EXPECT_TRUE(is_counted_resource(name)) << name;
  }
  for (const std::string name :
       {"cpu", "memory", "hugepages-2Mi", "kubernetes.io/x", "a.kubernetes.io/x"}) {
    EXPECT_FALSE(is_counted_resource(name)) << name;
  }
}

TEST(AdvertisedAddressCheck, WantsOneAddressOrOneOfEachFamily) {
  for (const std::string text :
       {"", "10.0.0.7", "fd00::7", "Host-1.example.com", "10.0.0.7,fd00::7", "fd00::7, 10.0.0.7"}) {
    EXPECT_EQ(check_advertised_address(text), std::nullopt) << text;
  }
  for (const std::string text : {"10.0.0.7,10.0.0.7", "10.0.0.7,10.0.0.8", "fd00::7,fd00::8",
                                 "10.0.0.7 ,fd00::7", "10.0.0.7,fd00::7,10.0.0.8", ",10.0.0.7",
                                 "10.0.0.7,", "host,fd00::7", "a b", "fd00::g", "[fd00::7]"}) {
    EXPECT_NE(check_advertised_address(text), std::nullopt) << text;
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
