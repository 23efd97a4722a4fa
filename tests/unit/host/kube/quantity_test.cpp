#include "kube/quantity.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace vkhost::kube {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

struct Amount {
  const char* text;
  std::int64_t whole;
  std::int64_t milli;
};

class QuantityText : public ::testing::TestWithParam<Amount> {};

TEST_P(QuantityText, IsReadExactlyAndRoundedUp) {
  const auto quantity = Quantity::parse(GetParam().text);

  ASSERT_TRUE(quantity.is_ok()) << quantity.status().to_string();
  EXPECT_EQ(quantity->ceil(), GetParam().whole);
  EXPECT_EQ(quantity->ceil_milli(), GetParam().milli);
}

INSTANTIATE_TEST_SUITE_P(Forms,
                         QuantityText,
                         ::testing::Values(Amount{"0", 0, 0},
                                           Amount{"+4", 4, 4000},
                                           Amount{"007", 7, 7000},
                                           Amount{"500m", 1, 500},
                                           Amount{"1500m", 2, 1500},
                                           Amount{"0.1", 1, 100},
                                           Amount{".5", 1, 500},
                                           Amount{"5.", 5, 5000},
                                           Amount{"1u", 1, 1},
                                           Amount{"1n", 1, 1},
                                           Amount{"0.0000000001", 1,
                                                  1},  // below a billionth: rounded up, not lost
                                           Amount{"2k", 2000, 2000000},
                                           Amount{"1M", 1000000, 1000000000},
                                           Amount{"1G", 1000000000, 1000000000000},
                                           Amount{"1T", 1000000000000, 1000000000000000},
                                           Amount{"1P", 1000000000000000, 1000000000000000000},
                                           Amount{"1E", 1000000000000000000, kMost},
                                           Amount{"1Ki", 1024, 1024000},
                                           Amount{"1.5Gi", 1610612736, 1610612736000},
                                           Amount{"0.1Ki", 103, 102400},
                                           Amount{"1Mi", 1048576, 1048576000},
                                           Amount{"1Ti", 1099511627776, 1099511627776000},
                                           Amount{"1Pi", 1125899906842624, 1125899906842624000},
                                           Amount{"1Ei", 1152921504606846976, kMost},
                                           Amount{"1e3", 1000, 1000000},
                                           Amount{"12E-1", 2, 1200},
                                           Amount{"1e+2", 100, 100000}));

INSTANTIATE_TEST_SUITE_P(
    Extremes,
    QuantityText,
    ::testing::Values(
        Amount{"9223372036854775807", kMost, kMost},
        Amount{"9223372036854775808", kMost, kMost},
        Amount{"9223372036854775806.5", kMost, kMost},
        Amount{"100Ei", kMost, kMost},
        Amount{"1e999999999999999999999", kMost, kMost},
        Amount{"1e-999999999999999999999", 1, 1},
        Amount{"0e999999", 0, 0},
        Amount{"99999999999999999999999999999999999999999999999999999999999999Ei", kMost, kMost},
        Amount{"0.00000000000000000000000000000000000000000000000000000000000Ki", 0, 0}));

TEST(Quantity, RefusesWhatIsNoQuantity) {
  for (const char* text : {"",      ".",    "+",   "-1",   "m",   "1K",       "1i",  "1ki",
                           "1KiB",  "1e",   "1e+", "1e3k", "1 ",  " 1",       "1 k", "1..2",
                           "1.2.3", "0x10", "1,5", "1mm",  "1ei", "infinity", "nan", "1\xC2\xB5"}) {
    EXPECT_EQ(Quantity::parse(text).status().code(), StatusCode::InvalidArgument) << text;
  }
}

TEST(Quantity, RefusesLongTextAndQuotesOnlyItsBeginning) {
  const auto quantity = Quantity::parse(std::string(100'000, '1'));

  EXPECT_EQ(quantity.status().code(), StatusCode::InvalidArgument);
  EXPECT_LT(quantity.status().message().size(), 200U);
}

TEST(Quantity, TellsZeroFromVeryLittle) {
  EXPECT_TRUE(Quantity::parse("0.000m")->is_zero());
  EXPECT_FALSE(Quantity::parse("1n")->is_zero());
  EXPECT_LT(*Quantity::parse("1n"), *Quantity::parse("1u"));
  EXPECT_EQ(*Quantity::parse("1024Mi"), *Quantity::parse("1Gi"));
}

}  // namespace
}  // namespace vkhost::kube
