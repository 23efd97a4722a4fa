// What a worker does with one pod, and what it does not let escape.
#include "engine_fixture.hpp"

#include <chrono>
#include <stdexcept>
#include <string>

namespace vkhost::pods {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;

class PodWork : public EngineFixture {
 protected:
  PodWork() { settings_.backoff = {seconds{1}, seconds{60}}; }
};

// virtual-kubelet#464, #781: What goes wrong with one pod ends the process
TEST_F(PodWork, ThatThrowsCostsThatPodABackOff) {
  boot();
  const std::string uid = api_.create({});
  material_.during_next([] { throw std::runtime_error("out of paper"); });

  settle();
  EXPECT_EQ(creates(uid), 0U);
  EXPECT_THAT(view(uid).last_error.message(), HasSubstr("out of paper"));
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("out of paper")));
  const std::string other = given_pod({.name = "other"});
  EXPECT_EQ(creates(other), 1U);
  pass(seconds{3});

  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(PodWork, ThatThrowsInAWriteIsRepeated) {
  boot();
  const std::string uid = given_pod();
  pass(seconds{1});
  api_.during_next(Call::Patch, [] { throw std::runtime_error("out of ink"); });

  provider_.run(uid);
  pass(seconds{5});

  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("out of ink")));
}

TEST_F(PodWork, ThatThrowsGivesItsSlotBack) {
  provider_.shape.max_parallel_calls = 1;
  boot();
  const std::string uid = api_.create({});
  provider_.after_next(Kind::Create, [] { throw std::runtime_error("out of paper"); });

  pass(seconds{5});
  const std::string other = given_pod({.name = "other"});

  EXPECT_EQ(creates(other), 1U);
  EXPECT_TRUE(provider_.has(uid));
}

}  // namespace
}  // namespace vkhost::pods
