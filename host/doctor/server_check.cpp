#include "doctor/server_check.hpp"

#include "base/json_text.hpp"
#include "doctor/clock_check.hpp"

#include <Poco/Dynamic/Var.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

namespace vkhost::doctor {
namespace {

constexpr std::chrono::seconds kAnswerPatience{10};
constexpr std::size_t kVersionDepth = 8;
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
// The oldest that is tested, see docs/compatibility.md.
constexpr int kOldestMinor = 20;

struct Version {
  std::string text;  // "v1.36.3"
  int minor = 0;
};

std::optional<Version> parse_version(const std::string& json) {
  if (!validate_json_object(json, kVersionDepth).is_ok()) {
    return std::nullopt;
  }
  try {
    const auto object = Poco::JSON::Parser().parse(json).extract<Poco::JSON::Object::Ptr>();
    Version version;
    version.text = object->getValue<std::string>("gitVersion");
    // "27+" of some vendors.
    const auto minor = object->getValue<std::string>("minor");
    const auto read = std::from_chars(minor.data(), minor.data() + minor.size(), version.minor);
    return read.ec == std::errc() ? std::optional(std::move(version)) : std::nullopt;
  } catch (const Poco::Exception&) {
    return std::nullopt;
  }
}

std::string advice_for_way(const Status& failure) {
  if (failure.code() == StatusCode::Unauthenticated) {
    return "Name the authority that signed the API server's certificate (certificate-authority of "
           "the kubeconfig), or the name that is in it (tls-server-name).";
  }
  return "Look whether the address is right (kubernetes.server, or the kubeconfig's), and whether "
         "a "
         "firewall or proxy stands between.";
}

void judge_answer(const http::Response& answer,
                  const std::string& server,
                  Matter matter,
                  Report& report) {
  const std::string found = server + " answers ";
  if (answer.status == kUnauthorized) {
    report.problem(std::move(matter), found + "401: it does not know these credentials",
                   "Get new ones: a token may have expired, a certificate be of another cluster.");
    return;
  }
  if (answer.status == kForbidden) {
    report.ok(std::move(matter), found + "but keeps its version to itself");
    return;
  }
  const auto version = answer.status == 200 ? parse_version(answer.body) : std::nullopt;
  if (!version) {
    report.problem(std::move(matter),
                   found + std::to_string(answer.status) + ", and not as an API server does",
                   "Look whether that is the API server's address, and what its log says.");
  } else if (version->minor < kOldestMinor) {
    report.warning(std::move(matter), found + "as " + version->text,
                   "Releases before 1.20 are not tested; see docs/compatibility.md.");
  } else {
    report.ok(std::move(matter), found + "as " + version->text);
  }
}

}  // namespace

bool check_server(http::Transport& transport,
                  const std::string& server,
                  const kube::Identity& identity,
                  const Clock& clock,
                  Report& report) {
  Matter matter{"api-server", "API server",
                "All that the daemon does comes from it and goes to it."};
  http::Request request;
  request.target = "/version";
  if (!identity.authorization.empty()) {
    request.headers.emplace_back("Authorization", identity.authorization.reveal());
  }
  const WallTime sent = clock.wall_now();
  const auto answer = transport.send(request, Deadline::after(clock, kAnswerPatience), {});
  const WallTime received = clock.wall_now();
  if (!answer.is_ok()) {
    report.problem(std::move(matter), answer.status().message(),  // which tells the address
                   advice_for_way(answer.status()));
    return false;
  }
  judge_answer(*answer, server, std::move(matter), report);
  check_clock(http::find_header(answer->headers, "Date"), sent, received, report);
  return answer->status == 200 || answer->status == kForbidden;
}

}  // namespace vkhost::doctor
