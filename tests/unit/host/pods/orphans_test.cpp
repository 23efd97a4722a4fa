#include "pods/orphans.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace vkhost::pods {
namespace {

using std::chrono::minutes;

const SteadyTime kNow{std::chrono::hours{5}};

OrphanBook::Orphan orphan(const std::string& uid, bool is_ours = true) {
  return {{"default", "name-of-" + uid, uid, ""}, is_ours};
}

std::vector<std::string> uids(const std::vector<OrphanBook::Orphan>& orphans) {
  std::vector<std::string> all;
  for (const OrphanBook::Orphan& one : orphans) {
    all.push_back(one.ref.uid);
  }
  return all;
}

using Uids = std::vector<std::string>;

TEST(OrphanBook, NamesWhatTwoListsInARowHeld) {
  OrphanBook book;
  book.note_list({orphan("a"), orphan("b")});
  EXPECT_EQ(uids(book.due(kNow, 10)), Uids{});

  book.note_list({orphan("b"), orphan("c")});

  EXPECT_EQ(uids(book.due(kNow, 10)), Uids{"b"});
}

TEST(OrphanBook, ForgetsWhatAListDoesNotHold) {
  OrphanBook book;
  book.note_list({orphan("a")});
  book.note_list({});
  EXPECT_EQ(book.size(), 0U);

  book.note_list({orphan("a")});

  EXPECT_EQ(uids(book.due(kNow, 10)), Uids{});
}

TEST(OrphanBook, LeavesAnOrphanAloneUntilItsNextLook) {
  OrphanBook book;
  book.note_list({orphan("a")});
  book.note_list({orphan("a")});

  book.look_again(orphan("a"), kNow + minutes{10});

  EXPECT_EQ(uids(book.due(kNow, 10)), Uids{});
  EXPECT_EQ(uids(book.due(kNow + minutes{10}, 10)), Uids{"a"});
}

TEST(OrphanBook, NamesTheLongestOverdueFirst) {
  OrphanBook book;
  for (int i = 0; i < 2; ++i) {
    book.note_list({orphan("a"), orphan("b"), orphan("c")});
  }
  book.look_again(orphan("a"), kNow);
  book.look_again(orphan("b"), kNow - minutes{1});

  EXPECT_EQ(uids(book.due(kNow, 2)), (Uids{"c", "b"}));
}

TEST(OrphanBook, ReportsEachOnce) {
  OrphanBook book;
  book.note_list({orphan("a")});

  EXPECT_TRUE(book.report(orphan("a")));
  book.note_list({orphan("a")});
  EXPECT_FALSE(book.report(orphan("a")));
  EXPECT_FALSE(book.report(orphan("stranger")));
}

TEST(OrphanBook, CountsThoseSeenInTwoListsByTheirMarks) {
  OrphanBook book;
  const OrphanBook::Orphan legacy{{"default", "one", "", ""}, false};
  book.note_list({orphan("a"), legacy});
  EXPECT_EQ(book.count(true) + book.count(false), 0U);

  book.note_list({orphan("a"), orphan("b"), legacy});

  EXPECT_EQ(book.count(true), 1U);
  EXPECT_EQ(book.count(false), 1U);
}

TEST(OrphanBook, TellsWorkloadsWithoutUidApartByName) {
  OrphanBook book;
  OrphanBook::Orphan one{{"default", "one", "", ""}, false};
  OrphanBook::Orphan other{{"default", "other", "", ""}, false};

  book.note_list({one, other});

  EXPECT_EQ(book.size(), 2U);
}

}  // namespace
}  // namespace vkhost::pods
