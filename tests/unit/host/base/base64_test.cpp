#include "base/base64.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

namespace vkhost {
namespace {

TEST(Base64, EncodesTheVectorsOfRfc4648AndBack) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(base64_encode(plain), encoded);
    EXPECT_EQ(base64_decode(encoded), plain);
  }
}

TEST(Base64, KeepsEveryByte) {
  std::string bytes;
  for (int value = 0; value < 256; ++value) {
    bytes += static_cast<char>(value);
  }

  EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
}

TEST(Base64, PassesOverLineBreaks) { EXPECT_EQ(base64_decode(" Zm9v\r\nYmFy\n"), "foobar"); }

TEST(Base64, RefusesEverythingElse) {
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zg===", "Zm9v=", "=", "Zm=v", "Zm-v", "Zm9vZ", "\x80"}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace vkhost
