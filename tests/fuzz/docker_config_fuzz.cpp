// Docker configurations of pull secrets: text of any shape is refused or becomes credentials that a
// provider can read, in either form; what is told of it is one line of printable ASCII.
// Input: what stands in the Secret, as it is.
#include "base/json_text.hpp"
#include "fuzz_input.hpp"
#include "resolve/docker_config.hpp"
#include "resolve/pull_credentials.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace {

using vkhost::fuzz::require;
namespace resolve = vkhost::resolve;

class CheckedEvents final : public resolve::ResolveEvents {
 public:
  void warning(const vkhost::kube::PodRecord& /*pod*/,
               std::string_view reason,
               std::string_view message) override {
    require(reason == "InvalidImagePullSecret");
    require(message.size() < 2048);
    require(
        std::all_of(message.begin(), message.end(), [](char c) { return c >= ' ' && c <= '~'; }));
    ++count;
  }
  std::size_t count = 0;
};

void check_text(const std::string& text) {
  require(vkhost::is_utf8(text) && text.find('\0') == std::string::npos);
}

void check_config(const resolve::DockerConfig& config) {
  for (const resolve::DockerCredential& each : config.credentials) {
    require(!each.server.empty());
    for (const std::string* text :
         {&each.server, &each.username.reveal(), &each.password.reveal(), &each.email,
          &each.identity_token.reveal(), &each.registry_token.reveal()}) {
      check_text(*text);
    }
    require(!each.username.empty() || !each.password.empty() || !each.identity_token.empty() ||
            !each.registry_token.empty());
  }
}

// As many of them in the material as were found, each with what it had.
void check_material(const std::string& text, const resolve::DockerConfig* config) {
  require(vkhost::validate_json(text, 4).is_ok());
  const auto list = Poco::JSON::Parser().parse(text).extract<Poco::JSON::Array::Ptr>();
  require(list->size() == (config == nullptr ? 0 : config->credentials.size()));
  for (unsigned i = 0; i < list->size(); ++i) {
    const auto object = list->getObject(i);
    const resolve::DockerCredential& credential = config->credentials[i];
    require(object->getValue<std::string>("server") == credential.server);
    require(object->optValue<std::string>("password", "") == credential.password.reveal());
    require(object->getValue<std::string>("secret_name") == "s");
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const vkhost::kube::PodRecord pod;
  const vkhost::CancelToken cancel;
  for (const auto& [form, key] :
       {std::pair(resolve::DockerConfigForm::ConfigJson, ".dockerconfigjson"),
        std::pair(resolve::DockerConfigForm::Dockercfg, ".dockercfg")}) {
    const auto config = resolve::parse_docker_config(text, form);
    if (config.is_ok()) {
      check_config(*config);
    }
    CheckedEvents events;
    auto secret = std::make_shared<resolve::ReferencedObject>();
    secret->items.emplace(key, vkhost::Secret(text));
    const auto json = resolve::PullCredentials({pod, events, nullptr, cancel,
                                                [&](const std::string&) {
                                                  return vkhost::Result<resolve::ObjectPtr>(secret);
                                                },
                                                [](std::size_t) { return vkhost::Status::ok(); }})
                          .json({{"s"}, {}});
    require(json.is_ok());
    check_material(*json, config.is_ok() ? &*config : nullptr);
    require(events.count == (config.is_ok() && config->problems.empty() ? 0 : 1));
  }
  return 0;
}
