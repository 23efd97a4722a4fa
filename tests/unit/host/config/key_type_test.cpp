#include "config/key_type.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace vkhost::config {
namespace {

using namespace std::chrono_literals;

template <typename T>
std::optional<T> read(const KeyType<T>& type, Value::Content content) {
  Problems problems;
  auto value = type.read(Value(std::move(content), Place{}), "key", problems);
  EXPECT_EQ(value.has_value(), problems.empty()) << problems.to_string();
  return value;
}

TEST(IntegerKey, KeepsItsRange) {
  const auto type = integer(1, 10);

  EXPECT_EQ(read(type, std::int64_t{10}), 10);
  EXPECT_EQ(read(type, std::int64_t{11}), std::nullopt);
  EXPECT_EQ(read(type, std::numeric_limits<std::int64_t>::min()), std::nullopt);
  EXPECT_EQ(read(type, 1.0), std::nullopt);
}

TEST(DurationKey, WantsAUnit) {
  EXPECT_EQ(read(duration(1s, 1h), std::string("90s")), 90s);
  EXPECT_EQ(read(duration(1s, 1h), std::string("90")), std::nullopt);
  EXPECT_EQ(read(duration(1s, 1h), std::int64_t{90}), std::nullopt);
  EXPECT_EQ(read(duration(1s, 1h), std::string("2h")), std::nullopt);
}

TEST(ListenKey, ReadsAddressesAndPorts) {
  const auto type = listen(true, true);

  EXPECT_EQ(read(type, std::string("127.0.0.1:80")), (Listen{"127.0.0.1", 80, 80, false}));
  EXPECT_EQ(read(type, std::string(":0")), (Listen{"", 0, 0, false}));
  EXPECT_EQ(read(type, std::string("10250")), (Listen{"", 10250, 10250, false}));
  EXPECT_EQ(read(type, std::string("[::1]:10-20")), (Listen{"::1", 10, 20, false}));
  EXPECT_EQ(read(type, std::string("off")), (Listen{"", 0, 0, true}));
  for (const std::string text : {"", "a:b", "::1:80", "[::1:80", "1.2.3.4", "1.2.3.4:", ":70000",
                                 ":20-10", ":0-10", "a b:1", ":-1", "[]:1", ":1-2-3"}) {
    EXPECT_EQ(read(type, text), std::nullopt) << text;
  }
  EXPECT_EQ(read(listen(false, false), std::string("off")), std::nullopt);
  EXPECT_EQ(read(listen(false, false), std::string(":1-2")), std::nullopt);
}

TEST(ListenKey, IsShownAsItIsRead) {
  const auto type = listen(true, true);
  for (const std::string text : {"[::1]:10-20", ":0", "0.0.0.0:80", "off"}) {
    EXPECT_EQ(type.show(*read(type, text)), '"' + text + '"');
  }
}

TEST(ChoiceKey, IgnoresCaseAndKnowsAliases) {
  const auto type = choice<LogLevel>(
      {{"warn", LogLevel::Warn}, {"warning", LogLevel::Warn}, {"error", LogLevel::Error}});

  EXPECT_EQ(read(type, std::string("WARNING")), LogLevel::Warn);
  EXPECT_EQ(type.show(LogLevel::Warn), "\"warn\"");
  EXPECT_EQ(type.range, R"("warn", "error")");
}

TEST(PathKey, StartsRelativePathsAtTheFolderOfTheFile) {
  auto source = std::make_shared<Source>();
  source->folder = "/etc/vkhost";
  const Place at{source, 1, 1};
  Problems problems;

  EXPECT_EQ(path().read(Value(std::string("pki/ca.pem"), at), "key", problems),
            "/etc/vkhost/pki/ca.pem");
  EXPECT_EQ(path().read(Value(std::string("/ca.pem"), at), "key", problems), "/ca.pem");
  EXPECT_EQ(path().read(Value(std::string(""), at), "key", problems), "");
}

TEST(QuantityKey, TakesAnInteger) {
  EXPECT_EQ(read(quantity(), std::int64_t{4}), "4");
  EXPECT_EQ(read(quantity(), std::string("500m")), "500m");
  EXPECT_EQ(read(quantity(), std::int64_t{-4}), std::nullopt);
}

}  // namespace
}  // namespace vkhost::config
