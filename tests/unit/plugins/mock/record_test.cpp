#include "mock/record.hpp"

#include "mock/json.hpp"
#include "sample_workloads.hpp"

#include <vkhost/provider.hpp>

#include <gtest/gtest.h>

#include <string>

namespace vkhost::mock {
namespace {

std::string write(const Workload& workload) {
  sdk::JsonWriter json;
  write_workload(json, workload);
  return json.take();
}

TEST(WorkloadRecord, SaysTheSameWhenItWasReadBack) {
  Workload workload = make_workload(RestartPolicy::OnFailure);
  workload.containers = {make_container("setup", ContainerKind::Init), make_container("app")};
  workload.containers[1].since = kAccepted + 5;
  workload.containers[1].restarts = 2;
  workload.containers[1].last = mock::Run{1, 2, 3};
  workload.attempt = 4;
  workload.stop_at = kAccepted + 9;
  workload.killed = true;
  workload.course.start_delay = 10;
  workload.course.stop_delay = 11;
  workload.course.vanish_after = 12;
  workload.course.evict = Evict{17, "Reclaimed", "capacity is withdrawn", 18};
  workload.course.lie = Lie::OldSeq;
  workload.course.exit = make_exit(1, 2, 3);
  workload.course.exit->container = "app";
  workload.course.unready = Unready{13, 14};
  workload.course.start_fault =
      Fault{FailStage::Start, VKP_ABORTED, "R", "m", VKP_RETRY_AFTER, 15, VKP_EFFECT_NONE, 1, 16};

  const Workload again = read_workload(Json::parse(write(workload), "the record"));

  EXPECT_EQ(write(again), write(workload));
  EXPECT_EQ(again.containers[1].last->code, 3);
  EXPECT_EQ(again.course.start_fault->retry_after, 15);
  EXPECT_EQ(again.stop_at, workload.stop_at);
}

TEST(WorkloadRecord, SaysTheSameOfAPlainOne) {
  const Workload again = read_workload(Json::parse(write(make_workload()), "the record"));

  EXPECT_EQ(write(again), write(make_workload()));
  EXPECT_FALSE(again.stop_at);
  EXPECT_FALSE(again.course.exit);
}

}  // namespace
}  // namespace vkhost::mock
