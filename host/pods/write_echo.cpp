#include "pods/write_echo.hpp"

#include "base/planted.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::pods {

void WriteEcho::write_begins(std::string_view base_version) {
  writing_ = true;
  base_ = base_version;
  seen_.clear();
  moved_.clear();
  relisted_ = false;
  if (!outstanding_.empty()) {
    // The object compared with is older than our own last write.
    compare_when_back_ = true;
  }
}

bool WriteEcho::write_ends(const std::string& version, std::string_view newest_version) {
  writing_ = false;
  const bool relisted = std::exchange(relisted_, false);
  // The object of its own version shows this write, and needs no look; whatever else came, before or
  // after it, was not known when the write was worked out.
  compare_when_back_ =
      compare_when_back_ ||
      std::any_of(moved_.begin(), moved_.end(), [&](const auto& each) { return each != version; });
  if (version.empty()) {
    return outstanding_.empty() && (std::exchange(compare_when_back_, false) || relisted);
  }
  const bool came_back =
      version == base_ || std::find(seen_.begin(), seen_.end(), version) != seen_.end();
  if (!came_back && !relisted) {
    outstanding_ = version;
    return false;
  }
  outstanding_.clear();
  const bool was_overtaken = relisted && version != newest_version;
  return std::exchange(compare_when_back_, false) || was_overtaken;
}

bool WriteEcho::object_seen(const std::string& version, bool status_moved) {
  const bool is_echo = !outstanding_.empty() && version == outstanding_;
  bool compare = status_moved && !VKHOST_PLANTED(EchoHidesForeignWrite);
  if (is_echo) {
    outstanding_.clear();
    // What a write under way has to look at stays open until its end.
    compare = !writing_ && std::exchange(compare_when_back_, false);
  }
  if (writing_) {
    seen_.push_back(version);
    if (compare) {
      moved_.push_back(version);
    }
    return false;
  }
  if (!outstanding_.empty()) {
    // Older than our own write, whose echo brings the last word.
    compare_when_back_ = compare_when_back_ || compare;
    return false;
  }
  return compare;
}

void WriteEcho::relisted() {
  outstanding_.clear();
  compare_when_back_ = false;
  relisted_ = writing_;
}

}  // namespace vkhost::pods
