#include "config/settings_tree.hpp"

#include <charconv>
#include <cstddef>
#include <memory>
#include <utility>

namespace vkhost::config {
namespace {

// "node[1].name" → "node", "[1]", "name".
std::string_view take_step(std::string_view& key) {
  if (key.starts_with('.')) {
    key.remove_prefix(1);
  }
  const auto end = key.find_first_of(".[", key.starts_with('[') ? 1 : 0);
  const std::string_view step = key.substr(0, end);
  key.remove_prefix(step.size());
  return step;
}

const Value* element(const Value& value, std::string_view step) {
  std::size_t index = 0;
  std::from_chars(step.data() + 1, step.data() + step.size(), index);
  const auto* array = value.as<Array>();
  if (array == nullptr) {
    return index == 0 ? &value : nullptr;  // one [node] is the same as a list of one
  }
  return index < array->size() ? &(*array)[index] : nullptr;
}

}  // namespace

Place place_of_setting(std::string name) {
  auto source = std::make_shared<Source>();
  source->name = std::move(name);
  return {std::move(source), 0, 0};
}

void put_setting(Value& root, std::string_view key, Value value) {
  Value* table = &root;
  while (true) {
    const auto dot = key.find('.');
    const Place at = value.at();
    Value& member = table->member(key.substr(0, dot), at);
    if (dot == std::string_view::npos) {
      member = std::move(value);
      return;
    }
    if (member.as<Table>() == nullptr) {
      member = Value(Table{}, at);
    }
    table = &member;
    key.remove_prefix(dot + 1);
  }
}

Place place_of_key(const Value& root, std::string_view key) {
  const Value* at = &root;
  while (!key.empty()) {
    const std::string_view step = take_step(key);
    const Value* next = step.starts_with('[') ? element(*at, step) : at->find(step);
    if (next == nullptr) {
      break;
    }
    at = next;
  }
  return at->at();
}

void merge_settings(Value& base, Value over, Problems& problems) {
  for (const std::string_view name : {"provider", "node"}) {
    Value* mine = base.find(name);
    Value* theirs = over.find(name);
    if (mine == nullptr || theirs == nullptr || theirs->as<Table>() == nullptr) {
      continue;
    }
    if (auto* several = mine->as<Array>()) {
      if (several->size() == 1) {
        merge(several->front(), std::move(*theirs));
      } else {
        const auto& given = *theirs->as<Table>();
        problems.error(given.empty() ? theirs->at() : given.front().value.at(), std::string(name),
                       "there are several [[" + std::string(name) +
                           "]] and this does not say for which: set it in the file");
      }
      *theirs = Value();
    }
  }
  merge(base, std::move(over));
}

void fill_in_settings(Value& base, Value defaults) {
  auto* missing = defaults.as<Table>();
  auto* present = base.as<Table>();
  if (missing == nullptr || present == nullptr) {
    return;
  }
  for (Member& member : *missing) {
    Value* found = base.find(member.name);
    if (found == nullptr) {
      present->push_back(std::move(member));
    } else if (auto* several = found->as<Array>()) {
      if (several->size() == 1) {
        fill_in_settings(several->front(), std::move(member.value));
      }
    } else {
      fill_in_settings(*found, std::move(member.value));
    }
  }
}

}  // namespace vkhost::config
