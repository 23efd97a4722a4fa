// TokenReview, SubjectAccessReview, SelfSubjectReview and SelfSubjectAccessReview: the API server's word
// on who somebody is and what they may do, and on who we are and what we may do.
//
// Plain calls without a cache. A failure is never a "no": callers refuse and may ask again.
// [any-thread] [may-block]
#pragma once

#include "base/secret.hpp"
#include "base/status.hpp"
#include "kube/client.hpp"

#include <map>
#include <string>
#include <vector>

namespace vkhost::kube {

struct UserInfo {
  std::string username;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;
};

struct TokenVerdict {
  bool is_authenticated = false;
  UserInfo user;  // of an authenticated token
  std::vector<std::string> audiences;
  std::string error;  // why it was not, if the server said so
};

// `audiences` empty: those of the API server.
Result<TokenVerdict> review_token(Client& client,
                                  const Secret& token,
                                  const std::vector<std::string>& audiences,
                                  const CallOptions& options);

struct AccessQuestion {
  UserInfo user;
  std::string verb;
  // Of a resource, when `path` is empty.
  std::string group;
  std::string version;
  std::string resource;
  std::string subresource;
  std::string object_namespace;
  std::string name;
  std::string path;  // of anything else ("/metrics")
  // Of a list or watch ("spec.nodeName=web-1"); API servers before 1.31 don't look at it.
  std::string field_selector = {};
};

struct AccessVerdict {
  bool is_allowed = false;
  bool is_denied = false;  // expressly, rather than by nobody allowing it
  std::string reason;
  std::string evaluation_error;
};

Result<AccessVerdict> review_access(Client& client,
                                    const AccessQuestion& question,
                                    const CallOptions& options);

// Whether the daemon itself may do that; `question.user` doesn't count.
Result<AccessVerdict> review_own_access(Client& client,
                                        const AccessQuestion& question,
                                        const CallOptions& options);

// Who the daemon is to the API server (SelfSubjectReview). NOT_FOUND from one before 1.28.
Result<UserInfo> review_self(Client& client, const CallOptions& options);

}  // namespace vkhost::kube
