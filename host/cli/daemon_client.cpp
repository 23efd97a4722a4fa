#include "cli/daemon_client.hpp"

#include "base/json_text.hpp"
#include "http/client.hpp"

#include <Poco/Dynamic/Var.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <chrono>
#include <sstream>
#include <utility>

namespace vkhost::cli {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::chrono::seconds kPatience{10};
constexpr std::size_t kMaxDepth = 16;

std::string text_of(const Object& item, const std::string& name) {
  return item.optValue<std::string>(name, "");
}

// Throws, as a document of another form does, when there is something that is no number.
std::int64_t number_of(const Poco::JSON::Object& item, const std::string& name) {
  return item.has(name) ? item.getValue<std::int64_t>(name) : 0;
}

PodRow read_row(const Object& item, const PodRow* /*kind*/) {
  PodRow row;
  row.pod_namespace = text_of(item, "namespace");
  row.name = text_of(item, "name");
  row.uid = text_of(item, "uid");
  row.node = text_of(item, "node");
  row.phase = text_of(item, "phase");
  row.reason = text_of(item, "reason");
  row.pod_ip = text_of(item, "pod_ip");
  row.last_error = text_of(item, "last_error");
  row.ready_containers = number_of(item, "ready_containers");
  row.containers = number_of(item, "containers");
  row.restarts = number_of(item, "restarts");
  row.started = parse_time(text_of(item, "started"));
  row.next_try = parse_time(text_of(item, "next_try"));
  return row;
}

NodeRow read_row(const Object& item, const NodeRow* /*kind*/) {
  NodeRow row;
  row.name = text_of(item, "name");
  row.provider = text_of(item, "provider");
  row.reason = text_of(item, "reason");
  row.message = text_of(item, "message");
  row.pods = number_of(item, "pods");
  row.ready = item.optValue<bool>("ready", false);
  return row;
}

template <typename Row>
Result<Answer<Row>> read_rows(std::string_view json, const std::string& member) {
  VKHOST_TRY(validate_json_object(json, kMaxDepth));
  try {
    const Object::Ptr root = Poco::JSON::Parser().parse(std::string(json)).extract<Object::Ptr>();
    const Array::Ptr items = root->getArray(member);
    Answer<Row> answer;
    for (std::size_t i = 0; !items.isNull() && i < items->size(); ++i) {
      const Object::Ptr item = items->getObject(static_cast<unsigned>(i));
      if (item.isNull()) {
        return invalid_argument("member " + member + " must hold objects");
      }
      answer.rows.push_back(read_row(*item, static_cast<const Row*>(nullptr)));
      std::ostringstream text;
      item->stringify(text);
      answer.items.push_back(text.str());
    }
    return answer;
  } catch (const Poco::Exception& error) {
    return invalid_argument(error.displayText());
  }
}

}  // namespace

Result<Answer<PodRow>> read_pod_rows(std::string_view json) {
  return read_rows<PodRow>(json, "pods");
}

Result<Answer<NodeRow>> read_node_rows(std::string_view json) {
  return read_rows<NodeRow>(json, "nodes");
}

Result<std::string> ask_node(const daemon::RuntimeFile& daemon,
                             const daemon::RuntimeNode& node,
                             std::string_view path,
                             const std::shared_ptr<const Clock>& clock) {
  const bool is_ipv6 = node.address.find(':') != std::string::npos;
  http::TransportSettings settings;
  settings.url = "https://" + (is_ipv6 ? '[' + node.address + ']' : node.address) + ':' +
                 std::to_string(node.port);
  settings.tls.ca_pem = daemon.certificate_pem;
  VKHOST_TRY_ASSIGN(const auto transport, http::make_poco_transport(settings, clock));
  http::Request request;
  request.target = path;
  request.headers.emplace_back("Authorization", "Bearer " + daemon.token.reveal());
  auto response = transport->send(request, Deadline::after(*clock, kPatience), CancelToken());
  if (!response) {
    return response.status().while_doing("asking the daemon at " + settings.url);
  }
  if (response->status != 200) {
    return unavailable("the daemon at " + settings.url + " answered " +
                       std::to_string(response->status) + ": " + response->body.substr(0, 200));
  }
  return std::move(response->body);
}

}  // namespace vkhost::cli
