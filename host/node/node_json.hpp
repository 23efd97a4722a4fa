// Poco's JSON as the files of this room read and write it; members that are absent, or of another
// kind than expected, read as empty. Internal to the room. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <map>
#include <string>
#include <string_view>
#include <type_traits>

namespace vkhost::node {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

// An empty text is an empty object. INVALID_ARGUMENT names `what`.
Result<Object::Ptr> parse_object(std::string_view text, const std::string& what);

Object::Ptr object_member(const Object::Ptr& parent, const std::string& name);
Array::Ptr array_member(const Object::Ptr& parent, const std::string& name);
std::string string_member(const Object::Ptr& object, const std::string& name);
std::string text_of(const Object::Ptr& object);
std::string text_of(const Var& value);
Object::Ptr as_object(const std::map<std::string, std::string>& values);
Array::Ptr names_of(const Object::Ptr& object);
// Members of `over` replace those of `base`.
void overlay(Object::Ptr base, const Object::Ptr& over);
// The first object of the list whose member has that text; null when there is none.
Object::Ptr find_in(const Array::Ptr& list, const std::string& member, const std::string& text);
// Calls `each` with every object of the list.
template <typename Function>
void for_each_object(const Array::Ptr& list, Function&& each) {
  for (std::size_t i = 0; i < list->size(); ++i) {
    if (const Object::Ptr item = list->getObject(static_cast<unsigned>(i)); !item.isNull()) {
      each(item);
    }
  }
}
bool holds_text(const Array::Ptr& list, const std::string& text);

// A document of a form that nobody expects throws deep inside; it is the document's fault.
template <typename Function>
std::invoke_result_t<Function> translated(const std::string& what, Function&& function) {
  try {
    return function();
  } catch (const Poco::Exception& error) {
    return invalid_argument(what + " cannot be used: " + error.displayText());
  }
}

}  // namespace vkhost::node
