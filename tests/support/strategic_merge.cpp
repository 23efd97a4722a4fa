#include "support/strategic_merge.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Parser.h>

#include <sstream>
#include <string_view>

namespace vkhost::testing {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

namespace {

// By what the items of a list are told apart; empty where lists replace each other.
std::string merge_key(std::string_view list) {
  if (list == "conditions" || list == "addresses") {
    return "type";
  }
  return list == "podIPs" || list == "hostIPs" ? "ip" : "";
}

std::string text_member(const Object::Ptr& object, const std::string& name) {
  const Var value = object->get(name);
  return value.isString() ? value.extract<std::string>() : std::string();
}

Object::Ptr item_at(const Array::Ptr& list, std::size_t index) {
  return list->getObject(static_cast<unsigned>(index));
}

// The place of the item with that key, or the size of the list.
std::size_t place_of(const Array::Ptr& list, const std::string& key, const std::string& value) {
  std::size_t place = 0;
  for (; place < list->size(); ++place) {
    const Object::Ptr item = item_at(list, place);
    if (!item.isNull() && text_member(item, key) == value) {
      break;
    }
  }
  return place;
}

Array::Ptr merged_list(const Array::Ptr& before, const Array::Ptr& patch, const std::string& key) {
  Array::Ptr merged = new Array;
  bool replace = before.isNull();
  for (std::size_t i = 0; i < patch->size(); ++i) {
    const Object::Ptr item = item_at(patch, i);
    replace = replace || (!item.isNull() && text_member(item, "$patch") == "replace");
  }
  if (replace) {  // as a whole: nothing is told apart
    for (std::size_t i = 0; i < patch->size(); ++i) {
      const Object::Ptr item = item_at(patch, i);
      if (item.isNull() || !item->has("$patch")) {
        merged->add(patch->get(static_cast<unsigned>(i)));
      }
    }
    return merged;
  }
  for (std::size_t i = 0; i < before->size(); ++i) {
    merged->add(before->get(static_cast<unsigned>(i)));
  }
  for (std::size_t i = 0; i < patch->size(); ++i) {
    const Object::Ptr item = item_at(patch, i);
    const std::string order = item.isNull() ? "" : text_member(item, "$patch");
    const std::size_t place =
        item.isNull() ? merged->size() : place_of(merged, key, text_member(item, key));
    if (order == "delete") {
      if (place < merged->size()) {
        merged->remove(static_cast<unsigned>(place));
      }
    } else if (place < merged->size()) {
      strategic_merge(item_at(merged, place), item);
    } else if (!item.isNull()) {
      Object::Ptr added = new Object;
      strategic_merge(added, item);
      merged->add(added);
    } else {
      merged->add(patch->get(static_cast<unsigned>(i)));
    }
  }
  return merged;
}

}  // namespace

Object::Ptr parse_object(const std::string& text) {
  Poco::JSON::Parser parser;
  return parser.parse(text).extract<Object::Ptr>();
}

std::string text_of(const Object::Ptr& object) {
  std::ostringstream out;
  object->stringify(out);
  return out.str();
}

Object::Ptr object_member(Object::Ptr object, const std::string& name) {
  Object::Ptr member = object->getObject(name);
  if (member.isNull()) {
    member = new Object;
    object->set(name, member);
  }
  return member;
}

void strategic_merge(Object::Ptr target, const Object::Ptr& patch) {
  const std::string order = text_member(patch, "$patch");
  if (order == "replace" || order == "delete") {
    target->clear();
  }
  for (const auto& [name, value] : *patch) {
    if (name == "$patch") {
      continue;
    }
    if (value.isEmpty()) {
      target->remove(name);
    } else if (value.type() == typeid(Object::Ptr)) {
      strategic_merge(object_member(target, name), value.extract<Object::Ptr>());
    } else if (value.type() == typeid(Array::Ptr) && !merge_key(name).empty()) {
      target->set(
          name, merged_list(target->getArray(name), value.extract<Array::Ptr>(), merge_key(name)));
    } else {
      target->set(name, value);
    }
  }
}

}  // namespace vkhost::testing
