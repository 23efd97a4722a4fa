#include "kube/token_request.hpp"

#include "base/json_text.hpp"
#include "kube/json_reader.hpp"
#include "kube/paths.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace vkhost::kube {
namespace {

namespace dom = simdjson::dom;

std::string request_body(const TokenRequest& request) {
  std::string body =
      R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"audiences":[)";
  if (!request.audience.empty()) {
    append_json_string(body, request.audience);
  }
  body += R"(],"expirationSeconds":)" + std::to_string(request.lifetime.count());
  body += R"(,"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":)";
  append_json_string(body, request.pod_name);
  body += R"(,"uid":)";
  append_json_string(body, request.pod_uid);
  return body + "}}}";
}

Result<dom::object> member_object(const OptionalElement& member, std::string_view name) {
  if (!member) {
    return invalid_argument(std::string(name) + " is missing");
  }
  return as_object(*member, name);
}

Status take_spec(dom::object spec, BoundToken& token) {
  std::array<OptionalElement, 2> found;
  VKHOST_TRY(find_members<2>(spec, "spec.", {"audiences", "expirationSeconds"}, found));
  if (found[0]) {
    VKHOST_TRY_ASSIGN(const dom::array audiences, as_array(*found[0], "spec.audiences"));
    if (audiences.begin() != audiences.end()) {
      VKHOST_TRY_ASSIGN(const std::string_view first,
                        as_string(*audiences.begin(), "spec.audiences"));
      token.audience = first;
    }
  }
  std::int64_t lifetime = token.lifetime.count();
  VKHOST_TRY(read_int(found[1], "spec.expirationSeconds", lifetime));
  if (lifetime <= 0 || lifetime > kLongestTokenLifetime.count()) {
    return invalid_argument("spec.expirationSeconds is no lifetime of a token");
  }
  token.lifetime = std::chrono::seconds{lifetime};
  return Status::ok();
}

Status take_status(dom::object status, BoundToken& token) {
  std::array<OptionalElement, 2> found;
  VKHOST_TRY(find_members<2>(status, "status.", {"token", "expirationTimestamp"}, found));
  std::string text;
  VKHOST_TRY(read_string(found[0], "status.token", text));
  token.token = Secret(std::move(text));
  if (token.token.empty()) {
    return invalid_argument("status.token is missing");
  }
  std::string expires;
  VKHOST_TRY(read_string(found[1], "status.expirationTimestamp", expires));
  const auto time = parse_time(expires);
  if (!time) {
    return invalid_argument("status.expirationTimestamp is no time");
  }
  token.expires = *time;
  return Status::ok();
}

Status take_token(std::string_view answer, BoundToken& token) {
  VKHOST_TRY_ASSIGN(const dom::element root, read_json(answer));
  VKHOST_TRY_ASSIGN(const dom::object object, as_object(root, "the answer"));
  std::array<OptionalElement, 2> found;
  VKHOST_TRY(find_members<2>(object, "", {"spec", "status"}, found));
  if (found[0]) {
    VKHOST_TRY_ASSIGN(const dom::object spec, as_object(*found[0], "spec"));
    VKHOST_TRY(take_spec(spec, token));
  }
  VKHOST_TRY_ASSIGN(const dom::object status, member_object(found[1], "status"));
  return take_status(status, token);
}

}  // namespace

Result<BoundToken> request_token(Client& client,
                                 const TokenRequest& request,
                                 const CallOptions& options) {
  CallOptions repeatable = options;
  repeatable.repeatable = true;
  auto text = client.create(service_account_token_path(request.account_namespace, request.account),
                            request_body(request), repeatable);
  if (!text) {
    return text.status();
  }
  const Secret answer(std::move(*text));
  BoundToken token;
  token.audience = request.audience;
  token.lifetime = request.lifetime;
  if (const Status fault = take_token(answer.reveal(), token); !fault.is_ok()) {
    // What the server answered is its fault, not the caller's.
    return unavailable(fault.message()).while_doing("reading a TokenRequest");
  }
  return token;
}

}  // namespace vkhost::kube
