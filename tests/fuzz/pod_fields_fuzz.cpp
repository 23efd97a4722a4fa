// Paths of fieldRef, in variables and in files of the downward API: one of any shape is refused for good or
// has the value that a slow reading of the pod gives it. Of all labels or annotations each has one line, in
// order, that can be read back.
// Input: the path, a line "---", the apiVersion, a line "---", the pod's metadata, a line "---", its status.
// Metadata is an object like {"labels":{…}}, without a name.
#include "fuzz_input.hpp"
#include "kube/json_cut.hpp"
#include "kube/pod_record.hpp"
#include "resolve/pod_fields.hpp"
#include "support/fake_resolve.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using vkhost::fuzz::require;
namespace resolve = vkhost::resolve;
using Labels = std::map<std::string, std::string>;

// What the pod's metadata says, but for what the host wrote.
Labels labels_of(const vkhost::kube::PodRecord& pod, const std::string& member) {
  Labels labels;
  const std::string metadata(vkhost::kube::find_member(pod.raw, "metadata"));
  const auto object =
      Poco::JSON::Parser().parse(metadata).extract<Poco::JSON::Object::Ptr>()->getObject(member);
  for (const std::string& key : object.isNull() ? std::vector<std::string>() : object->getNames()) {
    if (!vkhost::kube::is_host_annotation(key)) {
      labels.emplace(key, object->optValue<std::string>(key, ""));
    }
  }
  return labels;
}

std::uint32_t hex_of(std::string_view digits) {
  std::uint32_t value = 0;
  for (const char c : digits) {
    const auto at = std::string_view("0123456789abcdef").find(c);
    require(at != std::string_view::npos);
    value = value * 16 + static_cast<std::uint32_t>(at);
  }
  return value;
}

void append_utf8(std::string& text, std::uint32_t code_point) {
  const auto byte = [&](std::uint32_t value) { text += static_cast<char>(value); };
  if (code_point < 0x80) {
    byte(code_point);
  } else if (code_point < 0x800) {
    byte(0xC0 | code_point >> 6U);
    byte(0x80 | (code_point & 0x3FU));
  } else if (code_point < 0x10000) {
    byte(0xE0 | code_point >> 12U);
    byte(0x80 | (code_point >> 6U & 0x3FU));
    byte(0x80 | (code_point & 0x3FU));
  } else {
    byte(0xF0 | code_point >> 18U);
    byte(0x80 | (code_point >> 12U & 0x3FU));
    byte(0x80 | (code_point >> 6U & 0x3FU));
    byte(0x80 | (code_point & 0x3FU));
  }
}

// What stands between the quotes at the start of `line`, as strconv.Unquote reads it; takes it off.
std::string unquote(std::string_view& line) {
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  constexpr std::string_view kNamed = "\a\b\f\n\r\t\v\\\"";
  require(line.starts_with('"'));
  line.remove_prefix(1);
  std::string text;
  while (!line.starts_with('"')) {
    require(!line.empty() && static_cast<unsigned char>(line[0]) >= ' ');
    if (line[0] != '\\') {
      text += line[0];
      line.remove_prefix(1);
      continue;
    }
    require(line.size() > 1);
    const std::size_t digits = line[1] == 'x' ? 2 : line[1] == 'u' ? 4 : line[1] == 'U' ? 8 : 0;
    const std::size_t named = kLetters.find(line[1]);
    require(line.size() >= 2 + digits && (digits > 0 || named != std::string_view::npos));
    if (digits == 2) {
      text += static_cast<char>(hex_of(line.substr(2, digits)));
    } else if (digits > 0) {
      append_utf8(text, hex_of(line.substr(2, digits)));
    } else {
      text += kNamed[named];
    }
    line.remove_prefix(2 + digits);
  }
  line.remove_prefix(1);
  return text;
}

// "key=\"value\"", a line each.
Labels read_lines(std::string_view lines) {
  Labels labels;
  std::string before;
  while (!lines.empty()) {
    const std::size_t equals = lines.find("=\"");
    require(equals != std::string_view::npos);
    std::string key(lines.substr(0, equals));
    require(labels.empty() || before < key);
    lines.remove_prefix(equals + 1);
    labels.emplace(key, unquote(lines));
    before = std::move(key);
    require(lines.empty() || (lines.starts_with('\n') && lines.size() > 1));
    lines.remove_prefix(lines.empty() ? 0 : 1);
  }
  return labels;
}

// A key may hold anything before the API server has looked at it, "=" and line ends too.
bool can_be_read_back(const Labels& labels) {
  return std::all_of(labels.begin(), labels.end(),
                     [](const auto& label) { return resolve::is_qualified_name(label.first); });
}

void check_map(const vkhost::kube::PodRecord& pod,
               const std::string& path,
               const std::string& text) {
  for (const std::string member : {"labels", "annotations"}) {
    const std::string whole = "metadata." + member;
    if (!path.starts_with(whole)) {
      continue;
    }
    const Labels labels = labels_of(pod, member);
    if (path == whole) {
      require(!can_be_read_back(labels) || read_lines(text) == labels);
      return;
    }
    require(path.substr(whole.size(), 2) == "['" && path.ends_with("']"));
    const auto found = labels.find(path.substr(whole.size() + 2, path.size() - whole.size() - 4));
    require(text == (found == labels.end() ? "" : found->second));
    return;
  }
}

void check_value(const vkhost::kube::PodRecord& pod,
                 const resolve::FieldReference& reference,
                 const resolve::FieldValue& value,
                 resolve::PodAddresses addresses) {
  const std::string& path = reference.path;
  const std::map<std::string, std::string> own = {
      {"metadata.name", pod.name},  {"metadata.namespace", pod.pod_namespace},
      {"metadata.uid", pod.uid},    {"spec.nodeName", pod.node_name},
      {"spec.host", pod.node_name}, {"spec.serviceAccountName", "builder"}};
  require(reference.api_version.empty() || reference.api_version == "v1");
  require(value.late ==
          (path.starts_with("status.podIP") && addresses == resolve::PodAddresses::Late));
  if (const auto found = own.find(path); found != own.end()) {
    require(value.text == found->second);
  } else if (path.starts_with("status.")) {
    require(path == "status.podIP" || path == "status.podIPs" || path == "status.hostIP" ||
            path == "status.hostIPs");
    require(value.late == value.text.empty());
  } else {
    require(path.starts_with("metadata.labels") || path.starts_with("metadata.annotations"));
    check_map(pod, path, value.text);
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> sections = vkhost::fuzz::sections_of(std::string(data, data + size));
  sections.resize(4);
  const std::string& metadata = sections[2];
  if (!metadata.starts_with('{')) {
    return 0;
  }
  const auto pod =
      vkhost::kube::parse_pod(R"({"metadata":{"name":"web","namespace":"shop","uid":"u")" +
                              std::string(metadata == "{}" ? "" : ",") + metadata.substr(1) +
                              R"(,"spec":{"nodeName":"vk-0"},"status":)" + sections[3] + "}");
  if (!pod.is_ok()) {
    return 0;
  }
  resolve::PodView view;
  view.service_account = "builder";
  const vkhost::testing::FakeNodeFacts node;
  const resolve::FieldReference reference{.api_version = sections[1], .path = sections[0]};
  for (const auto addresses : {resolve::PodAddresses::Late, resolve::PodAddresses::FromStatus}) {
    resolve::PodFields fields(**pod, view, node, addresses);
    const auto value = fields.read(reference);
    if (value.is_ok()) {
      check_value(**pod, reference, *value, addresses);
    } else {
      require(value.status().code() == vkhost::StatusCode::FailedPrecondition ||
              value.status().code() == vkhost::StatusCode::InvalidArgument);
    }
    // What was looked up is kept for the next reference.
    const auto again = fields.read(reference);
    require(again.is_ok() == value.is_ok() && (!value.is_ok() || again->text == value->text));
  }
  return 0;
}
