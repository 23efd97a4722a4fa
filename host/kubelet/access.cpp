#include "kubelet/access.hpp"

#include "http/headers.hpp"
#include "http/keyed_hash.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace vkhost::kubelet {
namespace {

constexpr std::size_t kMaxTokens = 4096;
constexpr std::size_t kMaxDecisions = 8192;
constexpr std::size_t kMaxQuestionBytes = 10'000;  // longer ones are asked anew each time
constexpr std::chrono::seconds kReviewTimeout{30};

bool is_bearer(std::string_view scheme) {
  constexpr std::string_view kBearer = "bearer";
  return std::equal(
      scheme.begin(), scheme.end(), kBearer.begin(), kBearer.end(),
      [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
}

// The token of an Authorization header; empty when it holds none.
std::string bearer_token(std::string_view header) {
  const auto space = header.find(' ');
  if (space == std::string_view::npos || !is_bearer(header.substr(0, space))) {
    return {};
  }
  header.remove_prefix(space);
  header.remove_prefix(std::min(header.size(), header.find_first_not_of(' ')));
  // Exactly one token: anything after it makes the header something else.
  return header.find(' ') == std::string_view::npos ? std::string(header) : std::string();
}

Requester with_group(kube::UserInfo user, const std::string& group) {
  if (std::find(user.groups.begin(), user.groups.end(), group) == user.groups.end()) {
    user.groups.push_back(group);
  }
  return {std::move(user), false};
}

// Each part with its length before it: no choice of names makes one identity look like another.
std::string cache_key(const kube::AccessQuestion& question) {
  std::string key;
  const auto count = [&](std::size_t number) { key += std::to_string(number) + ":"; };
  const auto add = [&](std::string_view part) {
    count(part.size());
    key += part;
  };
  add(question.user.username);
  add(question.user.uid);
  count(question.user.groups.size());
  for (const std::string& group : question.user.groups) {
    add(group);
  }
  count(question.user.extra.size());
  for (const auto& [name, values] : question.user.extra) {
    add(name);
    count(values.size());
    for (const std::string& value : values) {
      add(value);
    }
  }
  add(question.verb);
  add(question.subresource);
  add(question.name);
  return key;
}

}  // namespace

kube::CallOptions ApiReviewer::options(const CancelToken& cancel) const {
  kube::CallOptions options;
  options.deadline = Deadline::after(clock_, kReviewTimeout);
  options.cancel = cancel;
  return options;
}

Result<kube::TokenVerdict> ApiReviewer::review_token(const Secret& token,
                                                     const CancelToken& cancel) {
  return kube::review_token(client_, token, {}, options(cancel));
}

Result<kube::AccessVerdict> ApiReviewer::review_access(const kube::AccessQuestion& question,
                                                       const CancelToken& cancel) {
  return kube::review_access(client_, question, options(cancel));
}

Access::Access(AccessSettings settings,
               Reviewer* reviewer,
               const std::shared_ptr<const Clock>& clock)
    : settings_(std::move(settings)),
      reviewer_(reviewer),
      hash_key_(http::random_key()),
      tokens_(kMaxTokens, clock),
      decisions_(kMaxDecisions, clock) {}

Result<Requester> Access::authenticate(const http::ServerRequest& request) {
  // A credential that is wrong is refused even where none would do: its owner meant somebody else.
  bool showed_something = false;
  std::string problem;
  if (request.certificate) {
    showed_something = true;
    if (request.certificate->verified && !request.certificate->common_name.empty()) {
      kube::UserInfo user;
      user.username = request.certificate->common_name;
      user.uid = request.certificate->uid;
      user.groups = request.certificate->organizations;
      user.extra["authentication.kubernetes.io/credential-id"] = {"X509SHA256=" +
                                                                  request.certificate->sha256};
      return with_group(std::move(user), "system:authenticated");
    }
    problem = request.certificate->verified ? "the client certificate names nobody (empty CN)"
                                            : request.certificate->problem;
  }
  const std::string token = bearer_token(http::find_header(request.headers, "Authorization"));
  if (!token.empty()) {
    auto by_token = authenticate_token(token, request.cancel);
    if (by_token.is_ok() || by_token.status().code() != StatusCode::Unauthenticated) {
      return by_token;
    }
    showed_something = true;
    problem = by_token.status().message();
  }
  if (!showed_something && settings_.insecure_anonymous_auth) {
    kube::UserInfo anonymous;
    anonymous.username = "system:anonymous";
    return with_group(std::move(anonymous), "system:unauthenticated");
  }
  return Status(StatusCode::Unauthenticated,
                problem.empty() ? "no client certificate and no bearer token" : problem);
}

Result<Requester> Access::authenticate_token(const std::string& token, const CancelToken& cancel) {
  if (!settings_.owner_token.empty() &&
      http::equal_in_constant_time(token, settings_.owner_token.reveal())) {
    Requester owner;
    owner.user.username = "vkhost:owner";
    owner.is_owner = true;
    return owner;
  }
  if (reviewer_ == nullptr) {
    return Status(StatusCode::Unauthenticated, "the bearer token is not the one of this daemon");
  }
  auto user = tokens_.get(http::keyed_hash(hash_key_, token), cancel, [&] {
    using Timed = TimedCache<Result<kube::UserInfo>>::Timed;
    auto verdict = reviewer_->review_token(Secret(token), cancel);
    if (!verdict.is_ok()) {
      return Timed{verdict.status().while_doing("reviewing a bearer token")};
    }
    if (!verdict->is_authenticated) {
      return Timed{Status(StatusCode::Unauthenticated, "the API server does not know the token"),
                   settings_.token_lifetime};
    }
    return Timed{verdict->user, settings_.token_lifetime};
  });
  if (!user.is_ok()) {
    return user.status();
  }
  return with_group(std::move(*user), "system:authenticated");
}

Result<bool> Access::is_allowed(const kube::AccessQuestion& question, const CancelToken& cancel) {
  using Timed = TimedCache<Result<bool>>::Timed;
  const auto ask = [&] {
    auto verdict = reviewer_->review_access(question, cancel);
    if (!verdict.is_ok()) {
      return Timed{verdict.status()};
    }
    const bool allowed = verdict->is_allowed && !verdict->is_denied;
    return Timed{allowed, allowed ? settings_.allowed_lifetime : settings_.denied_lifetime};
  };
  const std::string key = cache_key(question);
  return key.size() > kMaxQuestionBytes ? ask().answer : decisions_.get(key, cancel, ask);
}

Status Access::authorize(const Requester& requester,
                         const Route& route,
                         std::string_view node_name,
                         const CancelToken& cancel) {
  if (requester.is_owner || settings_.insecure_no_authorization) {
    return Status::ok();
  }
  std::string tried;
  for (const std::string_view subresource : route.subresources) {
    tried += (tried.empty() ? "" : " ") + std::string(subresource);
    if (reviewer_ == nullptr) {
      continue;
    }
    kube::AccessQuestion question;
    question.user = requester.user;
    question.verb = route.verb;
    question.version = "v1";
    question.resource = "nodes";
    question.subresource = subresource;
    question.name = node_name;
    auto allowed = is_allowed(question, cancel);
    if (!allowed.is_ok()) {
      return allowed.status().while_doing(
          "Authorization error (user=" + requester.user.username +
          ", verb=" + std::string(route.verb) +
          ", resource=nodes, subresource=" + std::string(subresource) + ")");
    }
    if (*allowed) {
      return Status::ok();
    }
  }
  return {StatusCode::PermissionDenied, "Forbidden (user=" + requester.user.username +
                                            ", verb=" + std::string(route.verb) +
                                            ", resource=nodes, subresource(s)=[" + tried + "])"};
}

}  // namespace vkhost::kubelet
