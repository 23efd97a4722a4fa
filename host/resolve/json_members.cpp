#include "resolve/json_members.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Parser.h>

namespace vkhost::resolve {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

std::string Place::text() const {
  std::string text = parent_ == nullptr ? std::string() : parent_->text() + ".";
  text += name_;
  if (index_) {
    text += "[" + std::to_string(*index_) + "]";
  }
  return text;
}

Status Place::wrong_type(std::string_view wanted) const {
  return invalid_argument(text() + " is not " + std::string(wanted));
}

Result<Object::Ptr> parse_json_object(std::string_view text, std::string_view what) {
  constexpr std::size_t kMaxDepth = 64;
  try {
    Poco::JSON::Parser parser;
    parser.setDepth(kMaxDepth);
    const Var parsed = parser.parse(std::string(text));
    if (parsed.type() == typeid(Object::Ptr)) {
      return parsed.extract<Object::Ptr>();
    }
  } catch (const Poco::Exception&) {
    return invalid_argument(std::string(what) + " is not valid JSON");
  }
  return invalid_argument(std::string(what) + " is not a JSON object");
}

Result<std::optional<std::string>> find_string(const Object& object,
                                               const std::string& key,
                                               const Place& place) {
  const Var value = object.get(key);
  if (value.isEmpty()) {
    return std::optional<std::string>();
  }
  if (value.type() != typeid(std::string)) {
    return Place(place, key).wrong_type("a string");
  }
  return std::optional(value.extract<std::string>());
}

Result<std::string> read_string(const Object& object, const std::string& key, const Place& place) {
  VKHOST_TRY_ASSIGN(auto found, find_string(object, key, place));
  return std::move(found).value_or(std::string());
}

Result<bool> read_bool(const Object& object,
                       const std::string& key,
                       const Place& place,
                       bool otherwise) {
  const Var value = object.get(key);
  if (value.isEmpty()) {
    return otherwise;
  }
  if (value.type() != typeid(bool)) {
    return Place(place, key).wrong_type("true or false");
  }
  return value.extract<bool>();
}

Result<std::optional<std::int64_t>> find_integer(const Object& object,
                                                 const std::string& key,
                                                 const Place& place) {
  const Var value = object.get(key);
  if (value.isEmpty()) {
    return std::optional<std::int64_t>();
  }
  if (value.isInteger() && !value.isBoolean()) {
    try {
      return std::optional<std::int64_t>(value.convert<Poco::Int64>());
    } catch (const Poco::Exception&) {
      return Place(place, key).wrong_type("a whole number of 64 bits");
    }
  }
  return Place(place, key).wrong_type("a whole number");
}

Result<Object::Ptr> read_object(const Object& object, const std::string& key, const Place& place) {
  const Var value = object.get(key);
  if (value.isEmpty()) {
    return Object::Ptr();
  }
  if (value.type() != typeid(Object::Ptr)) {
    return Place(place, key).wrong_type("an object");
  }
  return value.extract<Object::Ptr>();
}

Result<Array::Ptr> read_array(const Object& object, const std::string& key, const Place& place) {
  const Var value = object.get(key);
  if (value.isEmpty()) {
    return Array::Ptr();
  }
  if (value.type() != typeid(Array::Ptr)) {
    return Place(place, key).wrong_type("an array");
  }
  return value.extract<Array::Ptr>();
}

Result<Object::Ptr> object_at(const Array& array, std::size_t index, const Place& place) {
  const Var value = array.get(static_cast<unsigned>(index));
  if (value.isEmpty() || value.type() != typeid(Object::Ptr)) {
    return place.wrong_type("an object");
  }
  return value.extract<Object::Ptr>();
}

Result<std::string> string_at(const Array& array, std::size_t index, const Place& place) {
  const Var value = array.get(static_cast<unsigned>(index));
  if (value.isEmpty() || value.type() != typeid(std::string)) {
    return place.wrong_type("a string");
  }
  return value.extract<std::string>();
}

Result<std::string> quantity_text(const Var& value, const Place& place) {
  if (!value.isEmpty() && value.type() == typeid(std::string)) {
    return value.extract<std::string>();
  }
  if (!value.isEmpty() && value.isNumeric() && !value.isBoolean()) {
    try {
      return value.convert<std::string>();
    } catch (const Poco::Exception&) {
      return place.wrong_type("a quantity");
    }
  }
  return place.wrong_type("a quantity");
}

}  // namespace vkhost::resolve
