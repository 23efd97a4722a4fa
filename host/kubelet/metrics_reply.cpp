#include "kubelet/metrics_reply.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>

namespace vkhost::kubelet {
namespace {

using observe::Exposition;

// What stands before the next `end`; it is taken off `text` with that.
std::string_view take_part(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return http::trim_blanks(part);
}

// One element of the header: "application/openmetrics-text;version=1.0.0;q=0.5".
struct Range {
  std::string_view type;
  std::string_view version;  // empty: any
  double weight = 1;
};

Range read_range(std::string_view text) {
  Range range;
  range.type = take_part(text, ';');
  while (!text.empty()) {
    std::string_view value = take_part(text, ';');
    const std::string_view name = take_part(value, '=');
    if (http::equals_ignoring_case(name, "version")) {
      range.version = value;
    } else if (http::equals_ignoring_case(name, "q")) {
      const auto read = std::from_chars(value.data(), value.data() + value.size(), range.weight);
      range.weight = read.ec == std::errc() && range.weight >= 0 ? range.weight : 0;
    }
  }
  return range;
}

}  // namespace

// The weights of wildcards say nothing of OpenMetrics: who wants that names it.
Exposition wanted_exposition(const http::Headers& headers) {
  double open = 0;
  double text = 0;
  for (const auto& [name, value] : headers) {
    if (!http::equals_ignoring_case(name, "Accept")) {
      continue;
    }
    std::string_view rest = value;
    while (!rest.empty()) {
      const Range range = read_range(take_part(rest, ','));
      if (http::equals_ignoring_case(range.type, "application/openmetrics-text") &&
          (range.version.empty() || range.version == "1.0.0")) {
        open = std::max(open, range.weight);
      } else if (http::equals_ignoring_case(range.type, "text/plain") &&
                 (range.version.empty() || range.version == "0.0.4")) {
        text = std::max(text, range.weight);
      }
    }
  }
  return open > text ? Exposition::OpenMetrics : Exposition::Text;
}

http::Reply metrics_reply(const http::ServerRequest& request, const MetricsSource& source) {
  const Exposition exposition = wanted_exposition(request.headers);
  http::Reply reply = http::text_reply(200, source(exposition));
  for (auto& [name, value] : reply.headers) {
    if (name == "Content-Type") {
      value = observe::content_type(exposition);
    }
  }
  reply.headers.emplace_back("Vary", "Accept");
  return reply;
}

}  // namespace vkhost::kubelet
