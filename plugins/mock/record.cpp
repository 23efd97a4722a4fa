#include "record.hpp"

#include <optional>
#include <utility>

namespace vkhost::mock {
namespace {

void write_run(sdk::JsonWriter& json, const Run& run) {
  json.begin_object()
      .member("began", run.began)
      .member("ended", run.ended)
      .member("code", run.code)
      .end_object();
}

void write_optional(sdk::JsonWriter& json, const char* name, const std::optional<Millis>& value) {
  if (value) {
    json.member(name, *value);
  }
}

void record_container(sdk::JsonWriter& json, const Container& container) {
  json.begin_object()
      .member("name", container.name)
      .member("image", container.image)
      .member("kind", static_cast<int>(container.kind));
  write_optional(json, "since", container.since);
  if (container.restarts > 0) {
    json.member("restarts", container.restarts);
  }
  if (container.last) {
    write_run(json.key("last"), *container.last);
  }
  json.end_object();
}

void write_fault(sdk::JsonWriter& json, const Fault& fault) {
  json.begin_object()
      .member("stage", static_cast<int>(fault.stage))
      .member("code", fault.code)
      .member("reason", fault.reason)
      .member("message", fault.message)
      .member("retry", fault.retry)
      .member("retry_after", fault.retry_after)
      .member("effect", fault.effect)
      .member("scope", fault.scope)
      .member("tries", fault.tries)
      .end_object();
}

void write_course(sdk::JsonWriter& json, const Course& course) {
  json.begin_object()
      .member("start_delay", course.start_delay)
      .member("stop_delay", course.stop_delay)
      .member("lie", static_cast<int>(course.lie));
  write_optional(json, "vanish_after", course.vanish_after);
  if (course.start_fault) {
    write_fault(json.key("start_fault"), *course.start_fault);
  }
  if (course.exit) {
    json.key("exit")
        .begin_object()
        .member("code", course.exit->code)
        .member("after", course.exit->after)
        .member("times", course.exit->times)
        .member("restart_delay", course.exit->restart_delay)
        .member("container", course.exit->container)
        .end_object();
  }
  if (course.unready) {
    json.key("unready")
        .begin_object()
        .member("after", course.unready->after)
        .member("length", course.unready->length)
        .end_object();
  }
  if (course.evict) {
    json.key("evict")
        .begin_object()
        .member("after", course.evict->after)
        .member("reason", course.evict->reason)
        .member("message", course.evict->message);
    write_optional(json, "grace", course.evict->grace);
    json.end_object();
  }
  json.end_object();
}

std::optional<Millis> read_optional(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional<Millis>(json.number());
}

int read_int(const Json& json) { return static_cast<int>(json.number()); }

Run read_run(const Json& json) {
  return {json["began"].number(), json["ended"].number(), read_int(json["code"])};
}

Container read_container(const Json& json) {
  Container container;
  container.name = json["name"].text();
  container.image = json["image"].text();
  container.kind = static_cast<ContainerKind>(json["kind"].number());
  container.since = read_optional(json["since"]);
  container.restarts = read_int(json["restarts"]);
  if (const Json last = json["last"]; !last.is_null()) {
    container.last = read_run(last);
  }
  return container;
}

Fault read_fault(const Json& json) {
  Fault fault;
  fault.stage = static_cast<FailStage>(json["stage"].number());
  fault.code = read_int(json["code"]);
  fault.reason = json["reason"].text();
  fault.message = json["message"].text();
  fault.retry = read_int(json["retry"]);
  fault.retry_after = json["retry_after"].number();
  fault.effect = read_int(json["effect"]);
  fault.scope = read_int(json["scope"]);
  fault.tries = json["tries"].number();
  return fault;
}

Course read_course(const Json& json) {
  Course course;
  course.start_delay = json["start_delay"].number();
  course.stop_delay = json["stop_delay"].number();
  course.lie = static_cast<Lie>(json["lie"].number());
  course.vanish_after = read_optional(json["vanish_after"]);
  if (const Json fault = json["start_fault"]; !fault.is_null()) {
    course.start_fault = read_fault(fault);
  }
  if (const Json exit = json["exit"]; !exit.is_null()) {
    course.exit = Exit{read_int(exit["code"]), exit["after"].number(), exit["times"].number(),
                       exit["restart_delay"].number(), exit["container"].text()};
  }
  if (const Json unready = json["unready"]; !unready.is_null()) {
    course.unready = Unready{unready["after"].number(), unready["length"].number()};
  }
  if (const Json evict = json["evict"]; !evict.is_null()) {
    course.evict = Evict{evict["after"].number(), evict["reason"].text(), evict["message"].text(),
                         read_optional(evict["grace"])};
  }
  return course;
}

}  // namespace

void write_workload(sdk::JsonWriter& json, const Workload& workload) {
  json.begin_object()
      .member("uid", workload.uid)
      .member("namespace", workload.pod_namespace)
      .member("name", workload.name)
      .member("ip", workload.ip)
      .member("attempt", workload.attempt)
      .member("restart_policy", static_cast<int>(workload.restart_policy))
      .member("accepted", workload.accepted)
      .member("killed", workload.killed);
  write_optional(json, "stop_at", workload.stop_at);
  json.key("containers").begin_array();
  for (const Container& container : workload.containers) {
    record_container(json, container);
  }
  json.end_array();
  write_course(json.key("course"), workload.course);
  json.end_object();
}

Workload read_workload(const Json& json) {
  Workload workload;
  workload.uid = json["uid"].text();
  workload.pod_namespace = json["namespace"].text();
  workload.name = json["name"].text();
  workload.ip = json["ip"].text();
  workload.attempt = read_int(json["attempt"]);
  workload.restart_policy = static_cast<RestartPolicy>(json["restart_policy"].number());
  workload.accepted = json["accepted"].number();
  workload.killed = json["killed"].boolean();
  workload.stop_at = read_optional(json["stop_at"]);
  for (const Json& container : json["containers"].elements()) {
    workload.containers.push_back(read_container(container));
  }
  workload.course = read_course(json["course"]);
  return workload;
}

}  // namespace vkhost::mock
