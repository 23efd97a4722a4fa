// The files of a pod's volumes, and what else they are made of: a spec, object or label of any shape is refused or becomes files that
// a provider may write as they are: inside of their volume, each path once, none of them a folder of
// another, with a mode that is one; and storage becomes a document of JSON.
// Input: the pod's spec, a line "---", its metadata, a line "---", what every ConfigMap is, a line
// "---", what every Secret is, a line "---", what every claim, PersistentVolume and list of trust bundles
// is. Metadata is an object like {"labels":{…}}, without a name.
#include "base/base64.hpp"
#include "base/json_text.hpp"
#include "fuzz_input.hpp"
#include "resolve/pod_resolution.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_resolve.hpp"
#include "support/fake_token_source.hpp"

#include <Poco/JSON/Parser.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

using vkhost::CancelSource;
using vkhost::CancelToken;
using vkhost::Result;
using vkhost::fuzz::require;
namespace resolve = vkhost::resolve;
namespace fakes = vkhost::testing;

// Whatever is asked for is there, and the same.
class OneOfEach final : public resolve::ObjectSource {
 public:
  OneOfEach(std::string config_map, std::string secret, std::string storage)
      : config_map_(std::move(config_map)),
        secret_(std::move(secret)),
        storage_(std::move(storage)) {}

  Result<std::string> get_config_map(const std::string&,
                                     const std::string&,
                                     const CancelToken&) override {
    return config_map_;
  }
  Result<std::string> get_secret(const std::string&,
                                 const std::string&,
                                 const CancelToken&) override {
    return secret_;
  }
  Result<std::string> get_service(const std::string&,
                                  const std::string&,
                                  const CancelToken&) override {
    return vkhost::not_found("no services");
  }
  Result<std::string> get_service_account(const std::string&,
                                          const std::string&,
                                          const CancelToken&) override {
    return vkhost::not_found("no service accounts");
  }
  Result<std::string> get_claim(const std::string&,
                                const std::string&,
                                const CancelToken&) override {
    return storage_;
  }
  Result<std::string> get_persistent_volume(const std::string&, const CancelToken&) override {
    return storage_;
  }
  Result<std::string> list_trust_bundles(const std::string&, const CancelToken&) override {
    return storage_;
  }
  Result<std::string> list_services(const std::string&, const CancelToken&) override {
    return vkhost::not_found("no services");
  }

 private:
  const std::string config_map_;
  const std::string secret_;
  const std::string storage_;
};

void check_path(const std::string& path) {
  require(!path.empty() && path.front() != '/' && path.back() != '/' && path.size() <= 4096);
  require(!path.starts_with("..") && path.find('\0') == std::string::npos);
  const std::string slashed = "/" + path + "/";
  for (const char* part : {"//", "/./", "/../"}) {
    require(slashed.find(part) == std::string::npos);
  }
}

void check_files(const Poco::JSON::Object& volume) {
  const auto files = volume.getArray("files");
  require(!files.isNull());
  std::set<std::string> paths;
  for (std::size_t i = 0; i < files->size(); ++i) {
    const auto file = files->getObject(static_cast<unsigned>(i));
    const auto path = file->getValue<std::string>("path");
    check_path(path);
    require(paths.insert(path).second);
    require(file->getValue<int>("mode") >= 0 && file->getValue<int>("mode") <= 0777);
    require(vkhost::base64_decode(file->getValue<std::string>("data")).has_value());
  }
  for (const std::string& path : paths) {
    for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
      require(!paths.contains(path.substr(0, at)));
    }
  }
}

void check_document(const std::string& text) {
  require(vkhost::validate_json_object(text, 8).is_ok());
  const auto volumes = Poco::JSON::Parser().parse(text).extract<Poco::JSON::Object::Ptr>();
  for (const std::string& name : volumes->getNames()) {
    check_files(*volumes->getObject(name));
  }
}

void check_storage(const resolve::PodResolution::Parts& parts,
                   const vkhost::kube::PodRecord& pod,
                   const resolve::PodView& view,
                   const std::string& spec) {
  const auto storage = resolve::read_pod_storage(spec);
  if (!storage.is_ok()) {
    return;
  }
  require(!resolve::uses_no_storage(spec) || storage->volumes.empty());
  const resolve::ServiceVariables no_services;
  const CancelToken token;
  const auto text = resolve::PodResolution(parts, pod, view, no_services,
                                           resolve::PodResolution::Vanished::Missing, token)
                        .storage(*storage);
  require(!text.is_ok() || vkhost::validate_json_object(*text, 64).is_ok());
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> sections = vkhost::fuzz::sections_of(std::string(data, data + size));
  sections.resize(5);
  const std::string& spec = sections[0];
  const std::string& metadata = sections[1];
  if (!metadata.starts_with('{')) {
    return 0;
  }
  const auto pod = vkhost::kube::parse_pod(
      R"({"metadata":{"name":"web","namespace":"shop","uid":"u")" +
      std::string(metadata == "{}" ? "" : ",") + metadata.substr(1) + R"(,"spec":)" + spec + "}");
  const auto view = resolve::read_pod_view(spec);
  const auto volumes = resolve::read_pod_volumes(spec);
  if (!pod.is_ok() || !view.is_ok() || !volumes.is_ok()) {
    return 0;
  }
  require(!resolve::mounts_no_files(spec) || volumes->volumes.empty());

  OneOfEach source(sections[2], sections[3], sections[4]);
  const fakes::FakeClock clock;
  fakes::RecordingResolveEvents events;
  fakes::FakeNodeFacts node;
  node.amounts = {{"cpu", "4"}, {"memory", "8Gi"}};
  resolve::Objects objects({source, clock}, std::chrono::milliseconds{0}, 0);
  fakes::FakeTokenSource issuer(clock);
  vkhost::SeededRandom random(1);
  resolve::Tokens tokens({issuer, clock, random});
  resolve::Claims claims(source, clock);
  resolve::PodResolution::Parts parts{
      objects, events, node,   resolve::EnvNames::Identifiers, resolve::PodAddresses::Late,
      true,    true,   &tokens};
  parts.claims = &claims;
  const resolve::ServiceVariables no_services;
  CancelSource cancel;
  const CancelToken token = cancel.token();
  const auto text = resolve::PodResolution(parts, **pod, *view, no_services,
                                           resolve::PodResolution::Vanished::Missing, token)
                        .volumes(*volumes);

  if (text.is_ok()) {
    check_document(*text);
  }
  require(events.lines().size() == (text.is_ok() ? 0 : 1));
  check_storage(parts, **pod, *view, spec);
  return 0;
}
