#include "pods/write_echo.hpp"

#include <gtest/gtest.h>

namespace vkhost::pods {
namespace {

TEST(WriteEcho, ComparesWhatOthersWrote) {
  WriteEcho echo;

  EXPECT_TRUE(echo.object_seen("2", true));
  EXPECT_FALSE(echo.object_seen("3", false));
}

TEST(WriteEcho, KnowsItsOwnWriteWhenItComesBackAfterTheAnswer) {
  WriteEcho echo;
  echo.write_begins("1");

  EXPECT_FALSE(echo.write_ends("2", "1"));
  EXPECT_FALSE(echo.object_seen("2", true));
  EXPECT_TRUE(echo.object_seen("3", true));
}

TEST(WriteEcho, KnowsItsOwnWriteWhenItComesBackBeforeTheAnswer) {
  WriteEcho echo;
  echo.write_begins("1");

  EXPECT_FALSE(echo.object_seen("2", true));
  EXPECT_FALSE(echo.write_ends("2", "2"));
  EXPECT_TRUE(echo.object_seen("3", true));
}

TEST(WriteEcho, ComparesWhenAnotherWriteFollowedItsOwnBeforeTheAnswer) {
  WriteEcho echo;
  echo.write_begins("1");
  EXPECT_FALSE(echo.object_seen("2", true));
  EXPECT_FALSE(echo.object_seen("3", true));

  EXPECT_TRUE(echo.write_ends("2", "3"));
}

TEST(WriteEcho, ComparesAtItsEchoWhenAnotherWriteCameBeforeIt) {
  WriteEcho echo;
  echo.write_begins("1");
  EXPECT_FALSE(echo.write_ends("3", "1"));

  EXPECT_FALSE(echo.object_seen("2", true));
  EXPECT_TRUE(echo.object_seen("3", true));
}

TEST(WriteEcho, ComparesAtItsEchoAfterAWriteOnTheGroundOfAnOlderObject) {
  WriteEcho echo;
  echo.write_begins("1");
  EXPECT_FALSE(echo.write_ends("2", "1"));
  echo.write_begins("1");
  EXPECT_FALSE(echo.write_ends("3", "1"));

  EXPECT_FALSE(echo.object_seen("2", true));
  EXPECT_TRUE(echo.object_seen("3", true));
}

TEST(WriteEcho, ComparesAfterAWriteOnTheGroundOfAnOlderObjectThatCameBackBeforeTheAnswer) {
  WriteEcho echo;
  echo.write_begins("1");
  EXPECT_FALSE(echo.write_ends("2", "1"));
  echo.write_begins("1");
  EXPECT_FALSE(echo.object_seen("2", true));
  EXPECT_FALSE(echo.object_seen("3", true));

  EXPECT_TRUE(echo.write_ends("3", "3"));
}

TEST(WriteEcho, ComparesAfterAWriteOnTheGroundOfAnOlderObjectThatLeftTheNewerOneAsItWas) {
  WriteEcho echo;
  echo.write_begins("1");
  EXPECT_FALSE(echo.write_ends("2", "1"));
  echo.write_begins("1");
  EXPECT_FALSE(echo.object_seen("2", true));

  EXPECT_TRUE(echo.write_ends("2", "2"));
}

TEST(WriteEcho, ComparesWhenAnotherWriteCameBeforeItsOwnAndBothBeforeTheAnswer) {
  WriteEcho echo;
  echo.write_begins("1");
  EXPECT_FALSE(echo.object_seen("2", true));
  EXPECT_FALSE(echo.object_seen("3", true));

  EXPECT_TRUE(echo.write_ends("3", "3"));
}

TEST(WriteEcho, ComparesAtItsEchoWhenNothingSeemedToDifferFromAnOlderObject) {
  WriteEcho echo;
  echo.write_begins("1");
  EXPECT_FALSE(echo.write_ends("2", "1"));
  echo.write_begins("1");
  EXPECT_FALSE(echo.write_ends("", "1"));

  EXPECT_TRUE(echo.object_seen("2", true));
}

TEST(WriteEcho, WaitsForNoEchoOfAWriteThatChangedNothing) {
  WriteEcho echo;
  echo.write_begins("1");

  EXPECT_FALSE(echo.write_ends("1", "1"));
  EXPECT_TRUE(echo.object_seen("2", true));
}

TEST(WriteEcho, ComparesAfterAFailedWriteWhatCameMeanwhile) {
  WriteEcho echo;
  echo.write_begins("1");
  EXPECT_FALSE(echo.object_seen("2", true));

  EXPECT_TRUE(echo.write_ends("", "2"));
}

TEST(WriteEcho, WaitsForNoEchoFromBeforeAList) {
  WriteEcho echo;
  echo.write_begins("1");
  EXPECT_FALSE(echo.write_ends("2", "1"));

  echo.relisted();

  EXPECT_TRUE(echo.object_seen("4", true));
}

TEST(WriteEcho, WaitsForNoEchoOfAWriteThatAListOvertook) {
  WriteEcho echo;
  echo.write_begins("1");
  echo.relisted();
  EXPECT_FALSE(echo.object_seen("4", false));

  EXPECT_TRUE(echo.write_ends("2", "4"));
  EXPECT_TRUE(echo.object_seen("5", true));
}

}  // namespace
}  // namespace vkhost::pods
