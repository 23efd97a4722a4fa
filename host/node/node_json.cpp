#include "node/node_json.hpp"

#include <Poco/JSON/Parser.h>
#include <Poco/JSON/Stringifier.h>

#include <sstream>

namespace vkhost::node {

Result<Object::Ptr> parse_object(std::string_view text, const std::string& what) {
  if (text.empty()) {
    return Object::Ptr(new Object);
  }
  try {
    Poco::JSON::Parser parser;
    const Var parsed = parser.parse(std::string(text));
    if (parsed.type() == typeid(Object::Ptr)) {
      return parsed.extract<Object::Ptr>();
    }
    return invalid_argument(what + " is not a JSON object");
  } catch (const Poco::Exception& error) {
    return invalid_argument(what + " is not JSON: " + error.displayText());
  }
}

Object::Ptr object_member(const Object::Ptr& parent, const std::string& name) {
  Object::Ptr member = parent->getObject(name);
  return member.isNull() ? Object::Ptr(new Object) : member;
}

Array::Ptr array_member(const Object::Ptr& parent, const std::string& name) {
  Array::Ptr member = parent->getArray(name);
  return member.isNull() ? Array::Ptr(new Array) : member;
}

std::string string_member(const Object::Ptr& object, const std::string& name) {
  const Var value = object->get(name);
  return value.isString() ? value.extract<std::string>() : std::string();
}

std::string text_of(const Object::Ptr& object) {
  std::ostringstream out;
  object->stringify(out);
  return out.str();
}

std::string text_of(const Var& value) {
  std::ostringstream out;
  Poco::JSON::Stringifier::stringify(value, out);
  return out.str();
}

Object::Ptr as_object(const std::map<std::string, std::string>& values) {
  Object::Ptr object = new Object;
  for (const auto& [name, value] : values) {
    object->set(name, value);
  }
  return object;
}

Array::Ptr names_of(const Object::Ptr& object) {
  Array::Ptr names = new Array;
  for (const std::string& name : object->getNames()) {
    names->add(name);
  }
  return names;
}

void overlay(Object::Ptr base, const Object::Ptr& over) {
  for (const auto& [name, value] : *over) {
    base->set(name, value);
  }
}

Object::Ptr find_in(const Array::Ptr& list, const std::string& member, const std::string& text) {
  for (std::size_t i = 0; i < list->size(); ++i) {
    Object::Ptr item = list->getObject(static_cast<unsigned>(i));
    if (!item.isNull() && string_member(item, member) == text) {
      return item;
    }
  }
  return {};
}

bool holds_text(const Array::Ptr& list, const std::string& text) {
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Var value = list->get(static_cast<unsigned>(i));
    if (value.isString() && value.extract<std::string>() == text) {
      return true;
    }
  }
  return false;
}

}  // namespace vkhost::node
