#include "base/mailbox.hpp"

#include "base/thread.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

namespace vkhost {
namespace {

using Entry = std::optional<std::pair<std::string, int>>;

TEST(Mailbox, KeepsOnlyTheNewestValueOfAKey) {
  Mailbox<std::string, int> box;

  EXPECT_TRUE(box.put("a", 1));
  EXPECT_TRUE(box.put("a", 2));

  EXPECT_EQ(box.try_take(), Entry({"a", 2}));
  EXPECT_EQ(box.try_take(), std::nullopt);
}

TEST(Mailbox, HandsOutKeysInTheOrderInWhichTheyBecamePending) {
  Mailbox<std::string, int> box;
  box.put("a", 1);
  box.put("b", 2);
  box.put("a", 3);

  EXPECT_EQ(box.try_take(), Entry({"a", 3}));
  EXPECT_EQ(box.try_take(), Entry({"b", 2}));
}

TEST(Mailbox, TakesAKeyAgainAfterItWasTaken) {
  Mailbox<std::string, int> box;
  box.put("a", 1);
  box.try_take();

  box.put("a", 2);

  EXPECT_EQ(box.try_take(), Entry({"a", 2}));
}

TEST(Mailbox, HandsOutWhatIsLeftAfterClose) {
  Mailbox<std::string, int> box;
  box.put("a", 1);

  box.close();

  EXPECT_FALSE(box.put("b", 2));
  EXPECT_EQ(box.take(), Entry({"a", 1}));
  EXPECT_EQ(box.take(), std::nullopt);
}

TEST(Mailbox, WakesATakerForAnEntryAndForClose) {
  Mailbox<std::string, int> box;
  Entry first;
  Entry second;
  Thread taker("taker", [&] {
    first = box.take();
    second = box.take();
  });

  box.put("a", 1);
  box.close();
  taker.join();

  EXPECT_EQ(first, Entry({"a", 1}));
  EXPECT_EQ(second, std::nullopt);
}

}  // namespace
}  // namespace vkhost
