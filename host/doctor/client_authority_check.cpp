#include "doctor/client_authority_check.hpp"

#include "base/json_text.hpp"
#include "doctor/certificate_checks.hpp"
#include "kube/paths.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

namespace vkhost::doctor {
namespace {

constexpr std::chrono::seconds kListPatience{10};
constexpr std::size_t kListDepth = 64;
constexpr const char* kAuthorityMap = "extension-apiserver-authentication";

// Of the first object of a list of ConfigMaps; empty where there is none, or nothing in it.
Result<std::string> published_authority(const std::string& json) {
  if (!validate_json_object(json, kListDepth).is_ok()) {
    return unavailable("the API server's answer cannot be read");
  }
  try {
    const auto list = Poco::JSON::Parser().parse(json).extract<Poco::JSON::Object::Ptr>();
    const auto items = list->getArray("items");
    const auto map = items.isNull() ? Poco::JSON::Object::Ptr() : items->getObject(0);
    const auto data = map.isNull() ? Poco::JSON::Object::Ptr() : map->getObject("data");
    return data.isNull() ? std::string() : data->optValue<std::string>("client-ca-file", "");
  } catch (const Poco::Exception&) {
    return unavailable("the API server's answer cannot be read");
  }
}

}  // namespace

void check_client_authority(kube::Client& client, const Clock& clock, Report& report) {
  Matter matter{"certificates", "authorities of clients",
                "By one of them the kubelet API knows the API server."};
  const std::string place = std::string("ConfigMap kube-system/") + kAuthorityMap;
  const std::string other =
      "Set kubelet.client_ca_file to a file with the authority that signs "
      "the API server's --kubelet-client-certificate.";
  kube::CallOptions options;
  options.deadline = Deadline::after(clock, kListPatience);
  options.once = true;
  // As the daemon does, which needs no right to get it.
  const auto answer =
      client.get(kube::config_maps_path("kube-system"),
                 {{"fieldSelector", std::string("metadata.name=") + kAuthorityMap}}, options);
  if (answer.status().code() == StatusCode::PermissionDenied) {
    report.skipped(std::move(matter), place + " may not be read",
                   "See the rights of client-authority.");
    return;
  }
  const auto bundle = answer.is_ok() ? published_authority(*answer) : answer.status();
  if (!bundle.is_ok()) {
    report.problem(std::move(matter), place + ": " + bundle.status().message(), other);
  } else if (bundle->empty()) {
    report.problem(std::move(matter), place + " names none", other);
  } else {
    check_authorities(std::move(matter), *bundle,
                      "Let the API server run with present authorities (--client-ca-file).",
                      clock.wall_now(), report);
  }
}

}  // namespace vkhost::doctor
