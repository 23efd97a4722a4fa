#include "kube/reviews.hpp"

#include "base/json_text.hpp"
#include "kube/json_reader.hpp"
#include "kube/paths.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace vkhost::kube {
namespace {

namespace dom = simdjson::dom;

void append_strings(std::string& out, const std::vector<std::string>& values) {
  out += '[';
  for (std::size_t index = 0; index < values.size(); ++index) {
    if (index > 0) {
      out += ',';
    }
    append_json_string(out, values[index]);
  }
  out += ']';
}

// `,"key":"value"`, or nothing when the value is empty.
void append_member(std::string& out, std::string_view key, std::string_view value) {
  if (!value.empty()) {
    if (out.back() != '{') {
      out += ',';
    }
    append_json_string(out, key);
    out += ':';
    append_json_string(out, value);
  }
}

Status take_strings(const OptionalElement& member,
                    std::string_view field,
                    std::vector<std::string>& out) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::array values, as_array(*member, field));
  for (const dom::element value : values) {
    VKHOST_TRY_ASSIGN(const std::string_view text, as_string(value, field));
    out.emplace_back(text);
  }
  return Status::ok();
}

Status take_user(const OptionalElement& member, const std::string& path, UserInfo& user) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::object object, as_object(*member, path));
  std::array<OptionalElement, 4> found;
  VKHOST_TRY(find_members<4>(object, path + ".", {"username", "uid", "groups", "extra"}, found));
  VKHOST_TRY(read_string(found[0], path + ".username", user.username));
  VKHOST_TRY(read_string(found[1], path + ".uid", user.uid));
  VKHOST_TRY(take_strings(found[2], path + ".groups", user.groups));
  if (found[3]) {
    VKHOST_TRY_ASSIGN(const dom::object extra, as_object(*found[3], path + ".extra"));
    for (const auto field : extra) {
      VKHOST_TRY(take_strings(field.value, path + ".extra", user.extra[std::string(field.key)]));
    }
  }
  return Status::ok();
}

Result<dom::object> status_of(std::string_view answer) {
  VKHOST_TRY_ASSIGN(const dom::element root, read_json(answer));
  VKHOST_TRY_ASSIGN(const dom::object object, as_object(root, "the answer"));
  std::array<OptionalElement, 1> found;
  VKHOST_TRY(find_members<1>(object, "", {"status"}, found));
  if (!found[0]) {
    return invalid_argument("status is missing");
  }
  return as_object(*found[0], "status");
}

Status take_token_verdict(std::string_view answer, TokenVerdict& verdict) {
  VKHOST_TRY_ASSIGN(const dom::object status, status_of(answer));
  std::array<OptionalElement, 4> found;
  VKHOST_TRY(
      find_members<4>(status, "status.", {"authenticated", "user", "audiences", "error"}, found));
  VKHOST_TRY(read_bool(found[0], "status.authenticated", verdict.is_authenticated));
  VKHOST_TRY(take_user(found[1], "status.user", verdict.user));
  VKHOST_TRY(take_strings(found[2], "status.audiences", verdict.audiences));
  VKHOST_TRY(read_string(found[3], "status.error", verdict.error));
  if (verdict.is_authenticated && verdict.user.username.empty()) {
    return invalid_argument("status.user.username is missing");
  }
  return Status::ok();
}

Status take_self(std::string_view answer, UserInfo& user) {
  VKHOST_TRY_ASSIGN(const dom::object status, status_of(answer));
  std::array<OptionalElement, 1> found;
  VKHOST_TRY(find_members<1>(status, "status.", {"userInfo"}, found));
  VKHOST_TRY(take_user(found[0], "status.userInfo", user));
  return user.username.empty() ? invalid_argument("status.userInfo.username is missing")
                               : Status::ok();
}

Status take_access_verdict(std::string_view answer, AccessVerdict& verdict) {
  VKHOST_TRY_ASSIGN(const dom::object status, status_of(answer));
  std::array<OptionalElement, 4> found;
  VKHOST_TRY(find_members<4>(status, "status.", {"allowed", "denied", "reason", "evaluationError"},
                             found));
  if (!found[0]) {
    return invalid_argument("status.allowed is missing");
  }
  VKHOST_TRY(read_bool(found[0], "status.allowed", verdict.is_allowed));
  VKHOST_TRY(read_bool(found[1], "status.denied", verdict.is_denied));
  VKHOST_TRY(read_string(found[2], "status.reason", verdict.reason));
  return read_string(found[3], "status.evaluationError", verdict.evaluation_error);
}

// What is asked about, the first members of a review's spec.
void append_question(std::string& body, const AccessQuestion& question) {
  if (question.path.empty()) {
    body += R"("resourceAttributes":{)";
    append_member(body, "namespace", question.object_namespace);
    append_member(body, "verb", question.verb);
    append_member(body, "group", question.group);
    append_member(body, "version", question.version);
    append_member(body, "resource", question.resource);
    append_member(body, "subresource", question.subresource);
    append_member(body, "name", question.name);
    if (!question.field_selector.empty()) {
      body += R"(,"fieldSelector":{)";
      append_member(body, "rawSelector", question.field_selector);
      body += '}';
    }
  } else {
    body += R"("nonResourceAttributes":{)";
    append_member(body, "path", question.path);
    append_member(body, "verb", question.verb);
  }
  body += '}';
}

std::string access_review_body(const AccessQuestion& question) {
  std::string body =
      R"({"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{)";
  append_question(body, question);
  append_member(body, "user", question.user.username);
  append_member(body, "uid", question.user.uid);
  if (!question.user.groups.empty()) {
    body += R"(,"groups":)";
    append_strings(body, question.user.groups);
  }
  if (!question.user.extra.empty()) {
    body += R"(,"extra":{)";
    for (const auto& [key, values] : question.user.extra) {
      if (body.back() != '{') {
        body += ',';
      }
      append_json_string(body, key);
      body += ':';
      append_strings(body, values);
    }
    body += '}';
  }
  body += "}}";
  return body;
}

std::string own_access_review_body(const AccessQuestion& question) {
  std::string body =
      R"({"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{)";
  append_question(body, question);
  return body + "}}";
}

// What the server answered is its fault, not the caller's.
Status unreadable_answer(const Status& fault, std::string_view what) {
  return unavailable(fault.message()).while_doing(what);
}

Result<AccessVerdict> access_verdict(std::string_view answer, std::string_view what) {
  AccessVerdict verdict;
  if (const Status fault = take_access_verdict(answer, verdict); !fault.is_ok()) {
    return unreadable_answer(fault, what);
  }
  verdict.is_allowed = verdict.is_allowed && !verdict.is_denied;
  return verdict;
}

// A question: asked twice, it is answered twice.
CallOptions repeatable(CallOptions options) {
  options.repeatable = true;
  return options;
}

}  // namespace

Result<TokenVerdict> review_token(Client& client,
                                  const Secret& token,
                                  const std::vector<std::string>& audiences,
                                  const CallOptions& options) {
  std::string body =
      R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":)";
  append_json_string(body, token.reveal());
  if (!audiences.empty()) {
    body += R"(,"audiences":)";
    append_strings(body, audiences);
  }
  body += "}}";
  VKHOST_TRY_ASSIGN(const std::string answer,
                    client.create(token_reviews_path(), std::move(body), repeatable(options)));
  TokenVerdict verdict;
  if (const Status fault = take_token_verdict(answer, verdict); !fault.is_ok()) {
    return unreadable_answer(fault, "reading a TokenReview");
  }
  if (!verdict.is_authenticated) {
    verdict.user = {};
  }
  return verdict;
}

Result<AccessVerdict> review_access(Client& client,
                                    const AccessQuestion& question,
                                    const CallOptions& options) {
  VKHOST_TRY_ASSIGN(const std::string answer,
                    client.create(subject_access_reviews_path(), access_review_body(question),
                                  repeatable(options)));
  return access_verdict(answer, "reading a SubjectAccessReview");
}

Result<AccessVerdict> review_own_access(Client& client,
                                        const AccessQuestion& question,
                                        const CallOptions& options) {
  VKHOST_TRY_ASSIGN(const std::string answer,
                    client.create(self_subject_access_reviews_path(),
                                  own_access_review_body(question), repeatable(options)));
  return access_verdict(answer, "reading a SelfSubjectAccessReview");
}

Result<UserInfo> review_self(Client& client, const CallOptions& options) {
  VKHOST_TRY_ASSIGN(
      const std::string answer,
      client.create(self_subject_reviews_path(),
                    R"({"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"})",
                    repeatable(options)));
  UserInfo user;
  if (const Status fault = take_self(answer, user); !fault.is_ok()) {
    return unreadable_answer(fault, "reading a SelfSubjectReview");
  }
  return user;
}

}  // namespace vkhost::kube
