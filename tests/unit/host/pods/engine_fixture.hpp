// EngineFixture: a pod engine between a fake API server and a fake provider on a clock moved by hand,
// with the verbs that scenarios are told in. No threads run: settle() does what is due, pass() lets
// time go by.
#pragma once

#include "pods/engine.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_material.hpp"
#include "support/fake_pod_api.hpp"
#include "support/fake_provider.hpp"
#include "support/recording_event_sink.hpp"
#include "support/recording_fault_sink.hpp"
#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace vkhost::pods {

using testing::FakeMaterial;
using testing::FakePodApi;
using testing::FakeProvider;
using testing::NewPod;
using testing::pod_status;

class RecordingNodeEvents final : public NodeEventSink {
 public:
  explicit RecordingNodeEvents(EventSink& events) : events_(events) {}
  void node_event(const Happening& what) override { events_.node_event("vk-0", what); }

 private:
  EventSink& events_;
};

// What `daemon` is in the real one.
class EngineListener final : public plugin::ProviderListener {
 public:
  void attach(PodEngine* engine) { engine_ = engine; }
  Status pod_changed(plugin::PodChange change) override {
    return engine_->pod_changed(std::move(change));
  }
  Status node_changed() override { return Status::ok(); }
  Status save_handle(const std::string& uid, const std::string& handle) override {
    return engine_->save_handle(uid, handle);
  }
  Status evict(plugin::Eviction eviction) override { return engine_->evict(std::move(eviction)); }
  Status emit(plugin::ProviderEvent event) override { return engine_->emit(event); }

 private:
  PodEngine* engine_ = nullptr;
};

class EngineFixture : public ::testing::Test {
 protected:
  using Kind = FakeProvider::Kind;
  using Call = FakePodApi::Call;

  EngineFixture();
  void TearDown() override;

  // A new process: lists the pods and recovers them. Nothing has been worked on yet.
  void boot();
  // Does all that is due now; the test fails when that never ends.
  void settle();
  // Lets time go by in small steps; a polling provider is listed in its interval.
  void pass(std::chrono::milliseconds time);
  // A list of everything, as the timer asks for it.
  void list_all();
  // What the provider knows reaches the engine, by push (then it did already) or by list.
  void look();

  std::string given_pod(const NewPod& pod = {});
  std::string given_running_pod(const NewPod& pod = {});

  [[nodiscard]] PodView view(const std::string& uid) const;
  [[nodiscard]] std::size_t creates(const std::string& uid) const;
  [[nodiscard]] std::size_t deletes(const std::string& uid) const;

  std::shared_ptr<testing::FakeClock> clock_ = std::make_shared<testing::FakeClock>();
  FakePodApi api_{*clock_};
  FakeProvider provider_;
  FakeMaterial material_;
  testing::RecordingEventSink events_;
  RecordingNodeEvents node_events_{events_};
  testing::RecordingFaultSink faults_;
  NodeSource* node_ = nullptr;  // every pod is admitted
  std::shared_ptr<testing::RecordingLogSink> log_ = std::make_shared<testing::RecordingLogSink>();
  Settings settings_;
  observe::Metrics metrics_;
  EngineListener listener_;
  std::unique_ptr<PodEngine> engine_;
};

}  // namespace vkhost::pods
