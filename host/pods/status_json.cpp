#include "pods/status_json.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Parser.h>

#include <cmath>
#include <sstream>

namespace vkhost::pods {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

Result<Object::Ptr> parse_object(std::string_view text, std::string_view what) {
  try {
    Poco::JSON::Parser parser;
    const Var parsed = parser.parse(std::string(text));
    if (parsed.type() != typeid(Object::Ptr)) {
      return invalid_argument(std::string(what) + " is not a JSON object");
    }
    return parsed.extract<Object::Ptr>();
  } catch (const Poco::Exception& error) {
    return invalid_argument(std::string(what) + " is not JSON: " + error.displayText());
  }
}

std::string string_member(const Object& object, const std::string& name) {
  const Var value = object.get(name);
  return value.isString() ? value.extract<std::string>() : std::string();
}

std::string text_of(const Var& value) {
  std::ostringstream out;
  Poco::JSON::Stringifier::stringify(value, out);
  return out.str();
}

namespace {

Status refuse_unwritable_in(const Var& value) {
  if (value.type() == typeid(Object::Ptr)) {
    return refuse_unwritable(*value.extract<Object::Ptr>());
  }
  if (value.type() == typeid(Array::Ptr)) {
    for (const Var& item : *value.extract<Array::Ptr>()) {
      VKHOST_TRY(refuse_unwritable_in(item));
    }
  }
  if (value.type() == typeid(double)) {
    const double number = value.extract<double>();
    if (number == 0 && std::signbit(number)) {
      return invalid_argument("-0.0 of the status cannot be written as it is");
    }
  }
  return Status::ok();
}

}  // namespace

Status refuse_unwritable(const Object& object) {
  for (const auto& [name, value] : object) {
    if (name.starts_with('$')) {
      return invalid_argument("a status has no member \"" + name + "\"");
    }
    VKHOST_TRY(refuse_unwritable_in(value));
  }
  return Status::ok();
}

Object::Ptr find_named(const Array::Ptr& list,
                       const std::string& member,
                       const std::string& value) {
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
    Object::Ptr item = list->getObject(static_cast<unsigned>(i));
    if (!item.isNull() && string_member(*item, member) == value) {
      return item;
    }
  }
  return {};
}

}  // namespace vkhost::pods
