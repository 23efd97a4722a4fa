#include "engine_fixture.hpp"

#include <algorithm>

namespace vkhost::pods {

EngineFixture::EngineFixture() {
  provider_.shape.pushes = true;
  provider_.listen(&listener_);
}

void EngineFixture::TearDown() { EXPECT_THAT(provider_.violations(), ::testing::IsEmpty()); }

void EngineFixture::boot() {
  engine_.reset();
  engine_ = std::make_unique<PodEngine>(
      settings_, EngineParts{&provider_, &api_, &events_, &material_, &faults_, clock_,
                             std::make_shared<SeededRandom>(1), observe::Logger(log_),
                             &node_events_, node_, &metrics_});
  listener_.attach(engine_.get());
  api_.listen(engine_.get());
  api_.list_again();
  ASSERT_TRUE(engine_->recover({}).is_ok());
}

void EngineFixture::settle() {
  constexpr int kTooMany = 20'000;
  for (int i = 0; i < kTooMany; ++i) {
    bool moved = api_.deliver() > 0;
    moved = engine_->step_worker() || moved;
    moved = engine_->step_status_writer() || moved;
    if (!moved) {
      const std::size_t lists = provider_.count(Kind::List);
      engine_->inspect_waiting();
      moved = provider_.count(Kind::List) != lists;
    }
    if (!moved) {
      return;
    }
  }
  FAIL() << "the engine does not come to rest";
}

void EngineFixture::pass(std::chrono::milliseconds time) {
  const auto until = clock_->steady_now() + time;
  auto next_list = clock_->steady_now() + provider_.shape.poll_interval;
  settle();
  while (clock_->steady_now() < until && !HasFatalFailure()) {
    clock_->advance(std::min<std::chrono::milliseconds>(
        std::chrono::milliseconds{250},
        std::chrono::ceil<std::chrono::milliseconds>(until - clock_->steady_now())));
    if (!provider_.shape.pushes && clock_->steady_now() >= next_list) {
      engine_->reconcile_with_list();
      next_list += provider_.shape.poll_interval;
    }
    settle();
  }
}

void EngineFixture::list_all() {
  engine_->reconcile_with_list();
  settle();
}

void EngineFixture::look() {
  if (!provider_.shape.pushes) {
    engine_->reconcile_with_list();
  }
  settle();
}

std::string EngineFixture::given_pod(const NewPod& pod) {
  const std::string uid = api_.create(pod);
  settle();
  return uid;
}

std::string EngineFixture::given_running_pod(const NewPod& pod) {
  const std::string uid = given_pod(pod);
  provider_.run(uid);
  look();
  EXPECT_EQ(api_.phase(uid), "Running");
  return uid;
}

PodView EngineFixture::view(const std::string& uid) const {
  const auto found = engine_->find(uid);
  return found ? *found : PodView{};
}

std::size_t EngineFixture::creates(const std::string& uid) const {
  return provider_.calls(Kind::Create, uid).size();
}

std::size_t EngineFixture::deletes(const std::string& uid) const {
  return provider_.calls(Kind::Delete, uid).size();
}

}  // namespace vkhost::pods
