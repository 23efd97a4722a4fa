#include "doctor/clock_check.hpp"

#include <Poco/DateTime.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/DateTimeParser.h>
#include <Poco/Timestamp.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace vkhost::doctor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kNoticeable{5};
constexpr seconds kTooMuch{30};

std::optional<WallTime> parse_date(std::string_view text) {
  const std::string& format = Poco::DateTimeFormat::HTTP_FORMAT;
  Poco::DateTime date;
  int zone = 0;
  // The parser makes a date of nearly anything: only what it would have been written as is one.
  if (!Poco::DateTimeParser::tryParse(format, std::string(text), date, zone) || zone != 0 ||
      Poco::DateTimeFormatter::format(date, format) != text) {
    return std::nullopt;
  }
  return WallTime(seconds{date.timestamp().epochTime()});
}

// By how much our clock is ahead at the least; negative: behind.
milliseconds offset(WallTime date, WallTime sent, WallTime received) {
  const WallTime::duration at_most = received - date;
  const WallTime::duration at_least = sent - (date + seconds{1});
  if (at_least > WallTime::duration::zero()) {
    return std::chrono::floor<milliseconds>(at_least);
  }
  if (at_most < WallTime::duration::zero()) {
    return std::chrono::ceil<milliseconds>(at_most);
  }
  return milliseconds{0};
}

}  // namespace

void check_clock(std::string_view date, WallTime sent, WallTime received, Report& report) {
  Matter matter{"clock", "clock of this machine",
                "Certificates and tokens are judged by it, and status and events bear its time."};
  const auto theirs = parse_date(date);
  if (!theirs) {
    report.skipped(std::move(matter), "the API server's answer does not tell the time");
    return;
  }
  const milliseconds ahead = offset(*theirs, sent, received);
  const milliseconds size = ahead < milliseconds{0} ? -ahead : ahead;
  if (size < kNoticeable) {
    report.ok(std::move(matter),
              "as that of the API server, within " + std::to_string(kNoticeable.count()) + " s");
    return;
  }
  std::string found = std::to_string(std::chrono::round<seconds>(size).count()) + " s " +
                      (ahead < milliseconds{0} ? "behind" : "ahead of") +
                      " that of the API server, which says " + format_time(*theirs);
  std::string advice = "Let both machines take the time from the same source (NTP).";
  if (size < kTooMuch) {
    report.warning(std::move(matter), std::move(found), std::move(advice));
  } else {
    report.problem(std::move(matter), std::move(found), std::move(advice));
  }
}

}  // namespace vkhost::doctor
