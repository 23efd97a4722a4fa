#include "support/exposition.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>

namespace vkhost::testing {
namespace {

using observe::Exposition;

bool is_name_char(char c, bool is_first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
         (!is_first && c >= '0' && c <= '9');
}

class Reader {
 public:
  explicit Reader(Exposition format) : is_open_(format == Exposition::OpenMetrics) {}

  Families read(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      line_ = text.substr(0, end);
      require(end != std::string_view::npos, "the last line has no end");
      require(!ended_, "something stands behind # EOF");
      text.remove_prefix(end + 1);
      take_line();
    }
    close_family();
    require(!is_open_ || ended_, "no # EOF");
    return std::move(families_);
  }

 private:
  void require(bool holds, const std::string& what) const {
    if (!holds) {
      throw std::runtime_error("exposition: " + what + ": \"" + std::string(line_) + '"');
    }
  }

  void take_line() {
    require(std::none_of(line_.begin(), line_.end(),
                         [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }),
            "a control character");
    if (line_ == "# EOF" && is_open_) {
      ended_ = true;
    } else if (line_.starts_with("# HELP ")) {
      take_help();
    } else if (line_.starts_with("# TYPE ")) {
      take_type();
    } else {
      require(!line_.starts_with('#'), "a comment");
      take_sample();
    }
  }

  void take_help() {
    close_family();
    std::string_view rest = line_.substr(7);
    name_ = take_name(rest);
    require(rest.starts_with(' '), "no help");
    require(!families_.contains(name_), "a family for the second time");
    families_[name_].help = rest.substr(1);
  }

  void take_type() {
    std::string_view rest = line_.substr(7);
    require(take_name(rest) == name_ && families_.contains(name_), "a type without its help");
    MetricFamily& family = families_[name_];
    require(family.type.empty() && rest.starts_with(' '), "a second type");
    family.type = rest.substr(1);
    const bool is_known = family.type == "counter" || family.type == "gauge" ||
                          family.type == "histogram" || (is_open_ && family.type == "unknown");
    require(is_known, "a type that there is not");
  }

  std::string take_name(std::string_view& rest) const {
    std::size_t size = 0;
    while (size < rest.size() && is_name_char(rest[size], size == 0)) {
      ++size;
    }
    require(size > 0, "no name");
    std::string name(rest.substr(0, size));
    rest.remove_prefix(size);
    return name;
  }

  void take_sample() {
    Sample sample;
    std::string_view rest = line_;
    sample.name = take_name(rest);
    require(families_.contains(name_) && !families_[name_].type.empty(), "a sample of no family");
    MetricFamily& family = families_[name_];
    check_sample_name(sample.name, family.type);
    if (rest.starts_with('{')) {
      take_labels(rest, sample.labels);
    }
    require(rest.starts_with(' '), "no value");
    sample.value = value_of(rest.substr(1));
    require(seen_.emplace(sample.name, sample.labels).second, "a sample for the second time");
    require(family.type != "counter" || sample.value >= 0, "a negative counter");
    family.samples.push_back(std::move(sample));
  }

  void check_sample_name(const std::string& sample, const std::string& type) const {
    if (type == "histogram") {
      require(sample == name_ + "_bucket" || sample == name_ + "_sum" || sample == name_ + "_count",
              "no sample of a histogram");
    } else {
      require(sample == name_ + (is_open_ && type == "counter" ? "_total" : ""),
              "a sample of another family");
    }
  }

  void take_labels(std::string_view& rest, Labels& labels) const {
    do {
      rest.remove_prefix(1);  // '{' or ','
      const std::string name = take_name(rest);
      require(rest.starts_with("=\""), "a label without a value");
      rest.remove_prefix(2);
      require(labels.emplace(name, take_quoted(rest)).second, "a label for the second time");
    } while (rest.starts_with(','));
    require(rest.starts_with('}'), "labels without an end");
    rest.remove_prefix(1);
  }

  std::string take_quoted(std::string_view& rest) const {
    std::string value;
    while (!rest.empty() && rest.front() != '"') {
      if (rest.front() == '\\') {
        rest.remove_prefix(1);
        require(
            !rest.empty() && (rest.front() == '\\' || rest.front() == '"' || rest.front() == 'n'),
            "an escape that there is not");
        value += rest.front() == 'n' ? '\n' : rest.front();
      } else {
        value += rest.front();
      }
      rest.remove_prefix(1);
    }
    require(!rest.empty(), "a value without its end");
    rest.remove_prefix(1);
    return value;
  }

  double value_of(std::string_view text) const {
    if (text == "NaN") {
      return std::numeric_limits<double>::quiet_NaN();
    }
    text.remove_prefix(text.starts_with('+') ? 1 : 0);
    double value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    require(!text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size(),
            "no number");
    return value;
  }

  void close_family() {
    if (const auto found = families_.find(name_); found != families_.end()) {
      require(!found->second.type.empty(), "a help without its type");
      if (found->second.type == "histogram") {
        check_histogram(found->second);
      }
    }
  }

  // Of each combination of labels.
  struct Buckets {
    double bound = -std::numeric_limits<double>::infinity();
    double count = 0;
    bool has_sum = false;
    bool has_count = false;
  };

  void check_histogram(const MetricFamily& family) const {
    std::map<Labels, Buckets> all;
    for (const Sample& sample : family.samples) {
      Labels labels = sample.labels;
      labels.erase("le");
      Buckets& buckets = all[labels];
      if (sample.name.ends_with("_bucket")) {
        check_bucket(sample, buckets);
      } else if (sample.name.ends_with("_count")) {
        require(std::isinf(buckets.bound) && sample.value == buckets.count,
                "a count that is not the bucket to infinity");
        buckets.has_count = true;
      } else {
        buckets.has_sum = true;
      }
    }
    for (const auto& [labels, buckets] : all) {
      require(buckets.has_sum && buckets.has_count, "a histogram without sum or count");
    }
  }

  void check_bucket(const Sample& sample, Buckets& buckets) const {
    const auto le = sample.labels.find("le");
    require(le != sample.labels.end(), "a bucket without its bound");
    const double bound = value_of(le->second);
    require(bound > buckets.bound && sample.value >= buckets.count, "buckets that do not ascend");
    require(!is_open_ || le->second.find_first_of(".eI") != std::string::npos,
            "a bound that looks like an integer");
    buckets.bound = bound;
    buckets.count = sample.value;
  }

  const bool is_open_;
  Families families_;
  std::set<std::pair<std::string, Labels>> seen_;
  std::string name_;  // of the family under way
  std::string_view line_;
  bool ended_ = false;
};

}  // namespace

Families parse_exposition(std::string_view text, Exposition format) {
  return Reader(format).read(text);
}

double sum_of(const Families& families, std::string_view name, const Labels& labels) {
  double sum = 0;
  for (const auto& [family_name, family] : families) {
    for (const Sample& sample : family.samples) {
      const bool fits =
          sample.name == name && std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
            const auto found = sample.labels.find(label.first);
            return found != sample.labels.end() && found->second == label.second;
          });
      sum += fits ? sample.value : 0;
    }
  }
  return sum;
}

}  // namespace vkhost::testing
