// Credentials: who the daemon is to the API server, asked for before every request so that rotated
// files and expired tokens are replaced without anybody noticing.
//
// Shared by all threads of a Client. The real ones are in kubeconfig_credentials.hpp.
#pragma once

#include "base/cancel.hpp"
#include "base/deadline.hpp"
#include "base/secret.hpp"
#include "base/status.hpp"
#include "http/client.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::kube {

// What may stand in a header field: nothing that could end it and start another one.
[[nodiscard]] inline bool is_header_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f;
  });
}

struct Identity {
  Secret authorization;  // value of the Authorization header; empty: none is sent
  std::vector<std::pair<std::string, std::string>> impersonation;  // Impersonate-… headers
  std::shared_ptr<const http::ClientTls> tls;  // another object after each change; never null
  std::uint64_t generation = 0;                // grows with each change of anything above
};

class Credentials {
 public:
  Credentials() = default;
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
  virtual ~Credentials() = default;

  // Reads files or runs a program when it is time to, else answers from memory. UNAUTHENTICATED
  // when there is nothing to show and none can be had. The call that runs a program may outlast its
  // deadline by a minute. [any-thread] [may-block]
  virtual Result<Identity> current(Deadline deadline, const CancelToken& cancel) = 0;
  // The server answered 401 to the identity of that generation: the next current() looks for
  // another. [any-thread] [no-block]
  virtual void reject(std::uint64_t generation) = 0;
};

}  // namespace vkhost::kube
