// Random schedules: users, watch, provider, API server and restarts act in any order; then everything
// works again, and the cluster has to come to rest as it should. A failing seed is repeated by
// --gtest_filter with the seed in the name of the failure.
#include "engine_fixture.hpp"

#include <array>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace vkhost::pods {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// One run; not a fixture of its own, so that a test makes thousands of them.
class Schedule : public EngineFixture {
 public:
  Schedule(unsigned seed, bool pushes, bool restarts) : random_(seed), restarts_(restarts) {
    provider_.shape.pushes = pushes;
    provider_.shape.poll_interval = seconds{10};
    provider_.shape.max_parallel_calls = 1 + seed % 3;
    provider_.shape.updates = plugin::kChangedImage;
    provider_.runs_in_create = chance(30);
    provider_.deletes_at_once = chance(30);
    settings_.backoff = {milliseconds{200}, seconds{5}};
    settings_.orphans = Orphans::Delete;
    settings_.on_lost = chance(50) ? OnLost::Fail : OnLost::Recreate;
    settings_.deletion_limit = chance(70) ? minutes{10} : seconds{20};
    api_.deliver_at_once(chance(30));
  }

  void TestBody() override {}

  void act(int steps) {
    boot();
    for (int i = 0; i < steps; ++i) {
      one_step();
      check_deletes();
    }
  }

  void converge() {
    provider_.stop_failing();
    api_.stop_failing();
    api_.list_again();
    for (int i = 0; i < 14 && !HasFatalFailure(); ++i) {
      settle();
      for (const std::string& uid : provider_.uids()) {
        if (provider_.is_deleting(uid)) {
          provider_.finish_delete(uid);
        } else if (!has_ended(uid)) {
          provider_.run(uid);
        }
      }
      settle();
      clock_->advance(i < 7 ? seconds{6} : minutes{1});
      if (i % 2 == 0) {
        engine_->reconcile_with_list();
      }
      check_deletes();
    }
    settle();
  }

  void check_rest() {
    for (const std::string& uid : api_.uids()) {
      const kube::PodPtr pod = api_.pod(uid);
      EXPECT_FALSE(pod->is_deleting()) << uid << " never ends";
      if (!pod->is_terminal()) {
        EXPECT_TRUE(provider_.has(uid)) << uid << " does not run, " << pod->phase;
        EXPECT_EQ(pod->phase, "Running")
            << uid << ": " << engine_->find(uid)->last_error.to_string();
      }
      EXPECT_TRUE(engine_->find(uid).has_value()) << uid << " was forgotten";
    }
    for (const std::string& uid : provider_.uids()) {
      EXPECT_TRUE(api_.has(uid)) << uid << " was left behind";
    }
    EXPECT_EQ(engine_->pods().size(), api_.uids().size());
    EXPECT_THAT(provider_.violations(), ::testing::IsEmpty());
  }

  // A pod that showed a started container runs again only where the policy says so.
  void check_runs() {
    for (const auto& [uid, made] : made_when_started_) {
      const bool is_once = settings_.on_lost == OnLost::Fail || may_run_once_.contains(uid);
      if (is_once && provider_.shape.pushes && !restarts_) {
        EXPECT_EQ(provider_.made(uid), made) << uid;
      }
    }
  }

 private:
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  std::string some(const std::vector<std::string>& uids) {
    return uids.empty() ? std::string() : uids[random_() % uids.size()];
  }

  bool has_ended(const std::string& uid) {
    const auto found = ended_.find(uid);
    return found != ended_.end() && found->second == provider_.made(uid);
  }

  void one_step() {
    const auto what = random_() % 100;
    if (what < 40) {
      work();
    } else if (what < 60) {
      user();
    } else if (what < 85) {
      back_end();
    } else if (what < 95) {
      trouble();
    } else {
      clock_->advance(milliseconds{random_() % 3000});
    }
  }

  void work() {
    switch (random_() % 5) {
      case 0:
        api_.deliver_one();
        break;
      case 1:
        engine_->step_status_writer();
        break;
      case 2:
        if (chance(30)) {
          engine_->reconcile_with_list();
        }
        engine_->inspect_waiting();
        break;
      default:
        engine_->step_worker();
        break;
    }
  }

  void user() {
    const std::string uid = some(api_.uids());
    const auto what = random_() % 10;
    if (what < 4 || uid.empty()) {
      const std::string name = "web-" + std::to_string(random_() % 4);
      for (const std::string& other : api_.uids()) {
        if (api_.pod(other)->name == name) {
          return;
        }
      }
      const bool once = chance(30);
      const std::string made =
          api_.create({.name = name, .restart_policy = once ? "Never" : "Always"});
      if (once) {
        may_run_once_.insert(made);
      }
    } else if (what < 7) {
      constexpr std::array<int, 4> kGraces = {0, 2, 5, 30};
      api_.remove(uid, seconds{kGraces.at(random_() % 4)});
    } else if (what < 8) {
      api_.set_image(uid, "image-" + std::to_string(random_() % 3));
    } else if (what < 9) {
      api_.set_condition(uid, "example.com/x", chance(50) ? "True" : "False");
    } else {
      api_.annotate(uid, "example.com/a", std::to_string(random_() % 3));
    }
  }

  void back_end() {
    const std::string uid = some(provider_.uids());
    if (uid.empty()) {
      return;
    }
    const bool deleting = provider_.is_deleting(uid);
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2:
        if (deleting) {
          provider_.finish_delete(uid);
        } else if (!has_ended(uid)) {
          provider_.run(uid);
          made_when_started_.try_emplace(uid, provider_.made(uid));
        }
        break;
      case 3:
        if (!deleting && chance(40)) {
          ended_[uid] = provider_.made(uid);
          provider_.end(uid, chance(50) ? "Succeeded" : "Failed", 1);
          made_when_started_.try_emplace(uid, provider_.made(uid));
        }
        break;
      case 4:
        if (chance(30)) {
          provider_.lose(uid);
        }
        break;
      case 5:
        if (chance(30)) {
          provider_.vanish(uid);
        }
        break;
      default:
        if (chance(40)) {
          provider_.fail_work(uid, unavailable("work failed"), deleting || chance(50));
        }
        break;
    }
  }

  void trouble() {
    switch (random_() % 9) {
      case 0:
        provider_.fail_create("", unavailable("away"), 1 + static_cast<int>(random_() % 3));
        break;
      case 1:
        provider_.fail_create("", Status(StatusCode::ResourceExhausted, "throttled")
                                      .with_scope(Scope::Provider)
                                      .with_retry(Retry::After, seconds{random_() % 5}));
        break;
      case 2:
        provider_.fail_create_after_effect("", deadline_exceeded("no answer"));
        break;
      case 3:
        provider_.fail_delete("", unavailable("busy"));
        break;
      case 4:
        provider_.fail_list(unavailable("away"));
        break;
      case 5:
        api_.answer(Call::Patch, unavailable("the API server is away"), 2);
        break;
      case 6:
        api_.answer(chance(50) ? Call::Remove : Call::Read, unavailable("away"));
        break;
      case 7:
        chance(50) ? api_.lose_watch() : api_.list_again();
        break;
      default:
        if (restarts_) {
          boot();
        } else {
          provider_.during_next(Kind::Create, [this] {
            user();
            api_.deliver();
          });
        }
        break;
    }
  }

  void check_deletes() {
    const auto deletes = provider_.calls(Kind::Delete);
    for (; checked_ < deletes.size(); ++checked_) {
      const std::string& uid = deletes[checked_].uid;
      EXPECT_TRUE(!api_.has(uid) || api_.pod(uid)->is_deleting()) << uid << " was wanted";
    }
  }

  std::mt19937 random_;
  const bool restarts_;
  std::size_t checked_ = 0;
  std::map<std::string, int> ended_;  // which workload of the pod
  std::map<std::string, int> made_when_started_;
  std::set<std::string> may_run_once_;
};

constexpr unsigned kSeeds = 60;

class RandomSchedules : public ::testing::TestWithParam<std::pair<bool, bool>> {};

INSTANTIATE_TEST_SUITE_P(Kinds,
                         RandomSchedules,
                         ::testing::Values(std::pair{true, false},
                                           std::pair{true, true},
                                           std::pair{false, false},
                                           std::pair{false, true}));

TEST_P(RandomSchedules, EndAsTheyShould) {
  const auto [pushes, restarts] = GetParam();
  for (unsigned seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Schedule schedule(seed, pushes, restarts);

    schedule.act(150);
    schedule.check_runs();
    schedule.converge();

    schedule.check_rest();
  }
}

}  // namespace
}  // namespace vkhost::pods
