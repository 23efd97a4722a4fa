// DockerConfig: the registry credentials in the file of a docker client, as pull secrets hold it.
//
// Each entry is read as a kubelet reads it: `auth` (base64 of USER:PASSWORD, padded or not) counts
// before `username` and `password`. Beyond what a kubelet knows, `identitytoken` and
// `registrytoken` are read too. One entry that is no good does not spoil the others. Whatever is
// said of the text names members and servers, never a value. [any-thread] [no-block]
#pragma once

#include "base/secret.hpp"
#include "base/status.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vkhost::resolve {

// All of it is text without NUL bytes; what is not there is empty.
struct DockerCredential {
  std::string server;  // the key as written: "registry.example", "https://index.docker.io/v1/"
  Secret username;
  Secret password;
  std::string email;
  Secret identity_token;
  Secret registry_token;
};

struct DockerConfig {
  std::vector<DockerCredential> credentials;  // by server
  std::vector<std::string> problems;          // what was left out, and why: printable ASCII
};

enum class DockerConfigForm {
  ConfigJson,  // ".dockerconfigjson": entries below `auths`
  Dockercfg    // ".dockercfg", of docker before 1.7: entries at the top
};

// INVALID_ARGUMENT: nothing of it can be used, since it is no JSON of that form or is larger than a
// Secret can be.
Result<DockerConfig> parse_docker_config(std::string_view text, DockerConfigForm form);

}  // namespace vkhost::resolve
