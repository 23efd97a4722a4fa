#include "kube/pod_calls.hpp"

#include "base/json_text.hpp"
#include "kube/paths.hpp"

namespace vkhost::kube {
namespace {

Status replaced_meanwhile(const PodRecord& pod) {
  return Status(StatusCode::NotFound, "pod " + pod.display_name() + " of UID " + pod.uid +
                                          " is gone; another has its name")
      .with_effect(Effect::None)
      .with_reason("Replaced");
}

// A value in a field selector.
std::string selected(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    escaped += c == '\\' || c == ',' || c == '=' ? std::string{'\\', c} : std::string{c};
  }
  return escaped;
}

// Strict, since what is missing in a complete list counts as gone. Never INVALID_ARGUMENT: the
// caller's question was fine, and nothing may be concluded from a broken answer.
Result<PodPtr> find_in_list(std::string_view list, const PodPlace& place) {
  const std::string_view items = find_member(list, "items");
  const std::string_view metadata = find_member(list, "metadata");
  const std::string_view more = plain_string(find_member(metadata, "continue"));
  if (plain_string(find_member(list, "kind")) != "PodList" || items.empty() || !more.empty()) {
    return unavailable("the answer is not a complete list of pods");
  }
  JsonElements elements(items == "null" ? "[]" : items);
  std::string_view element;
  while (elements.next(element)) {
    auto pod = parse_pod(element);
    if (!pod.is_ok()) {
      return unavailable(pod.status().message());
    }
    // A server that ignores the selector sends others as well.
    if ((*pod)->name == place.name && (*pod)->pod_namespace == place.pod_namespace) {
      return pod;
    }
  }
  return elements.is_complete() ? not_found("there is no such pod")
                                : unavailable("the list of pods is broken off");
}

}  // namespace

std::string pod_status_patch(std::string_view uid,
                             std::string_view status_json,
                             const AnnotationChanges& annotations) {
  std::string body = R"({"metadata":{"uid":)";
  append_json_string(body, uid);
  if (!annotations.empty()) {
    body += R"(,"annotations":{)";
    bool first = true;
    for (const auto& [key, value] : annotations) {
      if (!first) {
        body += ',';
      }
      first = false;
      append_json_string(body, key);
      body += ':';
      if (value) {
        append_json_string(body, *value);
      } else {
        body += "null";
      }
    }
    body += '}';
  }
  body += '}';
  if (!status_json.empty()) {
    body += R"(,"status":)";
    body += status_json;
  }
  body += '}';
  return body;
}

std::string delete_options(std::string_view uid, std::chrono::seconds grace) {
  return R"({"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":)" +
         std::to_string(grace.count()) + R"(,"preconditions":{"uid":)" + json_string(uid) + "}}";
}

bool is_wrong_uid(const Status& status) {
  const std::string& text = status.message();
  const auto says = [&](std::string_view words) { return text.find(words) != std::string::npos; };
  switch (status.code()) {
    case StatusCode::InvalidArgument:
      return says("metadata.uid") && says("immutable");
    case StatusCode::Aborted:
      return says("UID in precondition") || says("UID in the precondition");
    default:
      return false;
  }
}

Result<PodPtr> patch_pod_status(Client& client,
                                const PodRecord& pod,
                                std::string_view status_json,
                                const AnnotationChanges& annotations,
                                const CallOptions& options) {
  const auto answer =
      client.patch(pod_status_path(pod.pod_namespace, pod.name), PatchType::StrategicMerge,
                   pod_status_patch(pod.uid, status_json, annotations), options);
  if (!answer.is_ok()) {
    return is_wrong_uid(answer.status()) ? replaced_meanwhile(pod) : answer.status();
  }
  auto written = parse_pod(*answer);
  if (!written.is_ok()) {
    return written.status().while_doing("reading pod " + pod.display_name() + " after a write");
  }
  return written;
}

Status delete_pod_now(Client& client, const PodRecord& pod, const CallOptions& options) {
  const auto answer = client.remove(pod_path(pod.pod_namespace, pod.name),
                                    delete_options(pod.uid, std::chrono::seconds{0}), options);
  const Status status = answer.status();
  const bool is_gone = status.code() == StatusCode::NotFound || is_wrong_uid(status);
  return is_gone ? Status::ok() : status;
}

Result<PodPtr> fetch_pod(Client& client, const PodPlace& place, const CallOptions& options) {
  std::string selector = "metadata.name=" + selected(place.name);
  if (!place.node_name.empty()) {
    selector += ",spec.nodeName=" + selected(place.node_name);
  }
  VKHOST_TRY_ASSIGN(const std::string list, client.get(pods_path(place.pod_namespace),
                                                       {{"fieldSelector", selector}}, options));
  auto pod = find_in_list(list, place);
  return pod.is_ok() ? std::move(pod)
                     : pod.status().while_doing("reading pod " + std::string(place.pod_namespace) +
                                                "/" + std::string(place.name));
}

}  // namespace vkhost::kube
