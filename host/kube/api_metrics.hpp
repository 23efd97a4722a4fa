// ApiMetrics: what one client counts of its requests; WatchMetrics: what one watch counts. See
// observe/catalogue.inc. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "kube/client.hpp"
#include "observe/catalogue.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace vkhost::kube {

// As in roles.
enum class Verb { Get, Create, Update, Patch, Delete, Watch };
inline constexpr std::size_t kVerbs = 6;

[[nodiscard]] std::string_view name_of(Verb verb);
// Of a request as HTTP has it; a watch is a GET too.
[[nodiscard]] Verb verb_of(std::string_view http_method);

class ApiMetrics {
 public:
  using Time = std::chrono::steady_clock::duration;

  explicit ApiMetrics(observe::Metrics& metrics);  // outlives this

  // One try was answered, or ended without an answer.
  void answered(Verb verb, int http_status, Time took);
  void failed(Verb verb, StatusCode code, Time took);
  void repeated(Verb verb, StatusCode failure);
  void waited(Lane lane, Time took);

 private:
  // Answers that are worth a series of their own; the rest goes by its hundred.
  static constexpr std::array<int, 18> kCodes = {200, 201, 202, 204, 400, 401, 403, 404, 405,
                                                 409, 410, 413, 415, 422, 429, 500, 503, 504};
  static constexpr std::size_t kHundreds = 10;
  static constexpr auto kFailures = static_cast<std::size_t>(StatusCode::Unauthenticated) + 1;
  static constexpr std::size_t kOutcomes = kCodes.size() + kHundreds + kFailures;

  void count(Verb verb, std::size_t outcome, Time took);

  observe::SeriesTable<observe::Counter, kVerbs * kOutcomes> requests_;
  observe::SeriesTable<observe::Histogram, kVerbs> durations_;
  observe::SeriesTable<observe::Counter, kVerbs * kFailures> repeats_;
  observe::SeriesTable<observe::Histogram, 5> waits_;
};

class WatchMetrics {
 public:
  // `path` is that of the collection; its last segment names the resource.
  WatchMetrics(observe::Metrics& metrics, std::string_view path);  // outlives this

  void listed() { lists_.add(); }
  void opened() { opened_.add(); }
  void restarted(StatusCode failure);
  void brought_event() { events_.add(); }

 private:
  const std::string resource_;
  observe::Counter& lists_;
  observe::Counter& opened_;
  observe::Counter& events_;
  observe::Family<observe::Counter>& restarts_;
};

}  // namespace vkhost::kube
