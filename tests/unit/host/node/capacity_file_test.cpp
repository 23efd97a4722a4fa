#include "node/capacity_file.hpp"

#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>
#include <string>

namespace vkhost::node {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class CapacityFileTest : public ::testing::Test {
 protected:
  void write(const std::string& text) const { std::ofstream(path_) << text; }

  const testing::TestFolder folder_;
  const std::string path_ = (folder_.path() / "capacity.json").string();
  CapacityFile file_{path_};
};

TEST_F(CapacityFileTest, IsReadWhenItChangesAndNotOtherwise) {
  write(R"({"capacity":{"cpu":20,"memory":"9Gi"},"allocatable":{"cpu":"18"}})");

  const auto first = file_.read();
  const auto unchanged = file_.read();
  write(R"({"capacity":{"cpu":"2"}})");
  const auto second = file_.read();

  ASSERT_TRUE(first.is_ok()) << first.status().to_string();
  EXPECT_THAT((*first)->capacity, UnorderedElementsAre(Pair("cpu", "20"), Pair("memory", "9Gi")));
  EXPECT_THAT((*first)->allocatable, UnorderedElementsAre(Pair("cpu", "18")));
  EXPECT_FALSE(unchanged->has_value());
  EXPECT_THAT((*second)->capacity, UnorderedElementsAre(Pair("cpu", "2")));
}

TEST_F(CapacityFileTest, SaysOnceThatItIsMissing) {
  EXPECT_THAT(file_.read().status().message(), HasSubstr("capacity.json"));
  EXPECT_TRUE(file_.read().is_ok());

  write("{}");
  EXPECT_TRUE(file_.read()->has_value());
}

TEST_F(CapacityFileTest, NeverHoldsItsReaderUp) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);

  EXPECT_THAT(file_.read().status().message(), HasSubstr("no regular file"));
}

TEST_F(CapacityFileTest, NamesWhatIsWrong) {
  const auto complaint = [](const std::string& text) {
    return parse_capacity(text).status().message();
  };
  EXPECT_THAT(complaint("["), HasSubstr("not JSON"));
  EXPECT_THAT(complaint(R"({"capacities":{}})"), HasSubstr("capacities"));
  EXPECT_THAT(complaint(R"({"capacity":[]})"), HasSubstr("not an object"));
  EXPECT_THAT(complaint(R"({"capacity":{"cpu":"many"}})"), HasSubstr("capacity.cpu"));
  EXPECT_THAT(complaint(R"({"allocatable":{"cpu":[1]}})"), HasSubstr("allocatable.cpu"));
  EXPECT_THAT(complaint(R"({"capacity":{"cpu":"-1"}})"), HasSubstr("capacity.cpu"));
  EXPECT_THAT(complaint(R"({"capacity":{"example.com/gpu":"1.5"}})"), HasSubstr("whole"));
  EXPECT_THAT(complaint(R"({"capacity":{"pods":"500m"}})"), HasSubstr("whole"));
  EXPECT_EQ(complaint(R"({"capacity":{"cpu":"1.5","example.com/gpu":"2000m"}})"), "");
}

TEST_F(CapacityFileTest, IsNothingWhereNoneIsConfigured) {
  EXPECT_FALSE(CapacityFile("").read()->has_value());
}

}  // namespace
}  // namespace vkhost::node
