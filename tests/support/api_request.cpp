#include "support/api_request.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace vkhost::testing {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    if (const std::string_view part = text.substr(0, end); !part.empty()) {
      parts.push_back(part);
    }
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

bool asks_for_list_first(std::string_view query) {
  const auto parts = split(query, '&');
  return std::find(parts.begin(), parts.end(), "sendInitialEvents=true") != parts.end();
}

bool asks_to_watch(std::string_view query) {
  const auto parts = split(query, '&');
  return std::any_of(parts.begin(), parts.end(), [](std::string_view part) {
    return part == "watch=true" || part == "watch=1" || part == "watch";
  });
}

std::string verb_of(std::string_view method, bool named, bool watch) {
  if (method == "GET" || method == "HEAD") {
    return watch ? "watch" : named ? "get" : "list";
  }
  if (method == "DELETE") {
    return named ? "delete" : "deletecollection";
  }
  return method == "POST" ? "create" : method == "PUT" ? "update" : "patch";
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

}  // namespace

std::string ApiRequest::label() const {
  if (resource.empty()) {
    return lower(method) + " " + target.substr(0, target.find('?'));
  }
  return verb + " " + resource;
}

ApiRequest classify_request(std::string_view method, std::string_view target) {
  ApiRequest request{.method = std::string(method), .target = std::string(target)};
  const std::size_t question = target.find('?');
  const std::string_view query =
      question == std::string_view::npos ? std::string_view() : target.substr(question + 1);

  // /api/v1/… or /apis/GROUP/VERSION/…, then perhaps namespaces/NAME/, then RESOURCE/NAME/SUB.
  std::vector<std::string_view> parts = split(target.substr(0, question), '/');
  const std::size_t prefix = parts.empty() ? 0 : parts[0] == "api" ? 2 : parts[0] == "apis" ? 3 : 0;
  if (prefix == 0 || parts.size() <= prefix) {
    return request;
  }
  parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(prefix));
  const bool namespaced = parts.size() > 2 && parts[0] == "namespaces" && parts[2] != "status" &&
                          parts[2] != "finalize";
  if (namespaced) {
    request.namespace_name = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  request.resource = parts[0];
  if (parts.size() > 1) {
    request.name = parts[1];
  }
  if (parts.size() > 2) {
    request.resource.append("/").append(parts[2]);
  }
  const bool watches = asks_to_watch(query);
  request.streams_list = watches && asks_for_list_first(query);
  request.verb = verb_of(method, !request.name.empty(), watches && !request.streams_list);
  return request;
}

}  // namespace vkhost::testing
