// PodTokens: the fixture of tests of the service-account tokens that arrive at the provider. Verbs throw
// std::runtime_error. One owner. [may-block]
#pragma once

#include "base/base64.hpp"
#include "cluster/pod_material.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>

namespace vkhost::testing {

// The provider asks for tokens too, takes changes of them, and keeps all that it gets.
inline NodeOptions asking_for_tokens() {
  return {.daemon = {.provider_settings = "material = ['env', 'files', 'tokens']\n"
                                          "updates = ['tokens']\nkeep_material = 'all'\n"}};
}

// What the API server says of a token.
inline std::string review_of(const std::string& token, const std::string& audience = "") {
  return Cluster::instance().create(
      "/apis/authentication.k8s.io/v1/tokenreviews",
      R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":")" + token +
          '"' + (audience.empty() ? audience : R"(,"audiences":[")" + audience + "\"]") + "}}");
}

inline bool is_authentic(const std::string& token, const std::string& audience = "") {
  return json_at(review_of(token, audience), "/status/authenticated") == "true";
}

// What a JWT claims.
inline std::string claims_of(const std::string& token) {
  const std::size_t begin = token.find('.') + 1;
  std::string payload = token.substr(begin, token.find('.', begin) - begin);
  std::replace(payload.begin(), payload.end(), '-', '+');
  std::replace(payload.begin(), payload.end(), '_', '/');
  payload.append((4 - payload.size() % 4) % 4, '=');
  return base64_decode(payload).value_or("");
}

// Members of a pod's spec: a container, and the volume "v" with the token "t".
inline std::string spec_with_token(const std::string& audience, int seconds) {
  return R"("containers":[{"name":"main","image":"registry.example/app:1",)"
         R"("volumeMounts":[{"name":"v","mountPath":"/v"}]}],"volumes":[{"name":"v",)"
         R"("projected":{"sources":[{"serviceAccountToken":{"path":"t","expirationSeconds":)" +
         std::to_string(seconds) +
         (audience.empty() ? audience : R"(,"audience":")" + audience + '"') + "}}]}}]";
}

class PodTokens : public PodMaterial {
 protected:
  // With a token "t" in the volume "v", beside that which every pod gets.
  std::string given_pod(const std::string& audience = "vault", int seconds = 600) {
    return create(spec_with_token(audience, seconds));
  }
  MaterialFile token_file_of(const std::string& uid) {
    return material_of(uid).volumes.at("v").at("t");
  }
  std::string token_of(const std::string& uid) { return token_file_of(uid).data; }
  bool wait_until(const std::function<bool(const MockJournal&)>& condition) {
    return node_->journal().wait_until(condition, kLong);
  }
};

}  // namespace vkhost::testing
