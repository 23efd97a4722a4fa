#include "json.hpp"

#include <vkhost/provider.hpp>

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

namespace vkhost::mock {
namespace {

[[noreturn]] void throw_wrong_type(const char* wanted) {
  throw sdk::Error(sdk::Code::InvalidArgument, "InvalidDocument",
                   std::string("a JSON value is not ") + wanted)
      .never_retry()
      .with_effect(sdk::Effect::None);
}

}  // namespace

Json Json::parse(std::string_view text, std::string_view what) {
  try {
    Poco::JSON::Parser parser;
    parser.setDepth(VKP_MAX_JSON_DEPTH);
    return Json(parser.parse(std::string(text)));
  } catch (const Poco::Exception& error) {
    throw sdk::Error(sdk::Code::InvalidArgument, "InvalidDocument",
                     std::string(what) + " is not JSON: " + error.displayText())
        .never_retry()
        .with_effect(sdk::Effect::None);
  }
}

Json Json::operator[](const std::string& key) const {
  if (is_null()) {
    return {};
  }
  if (value_.type() != typeid(Poco::JSON::Object::Ptr)) {
    throw_wrong_type("an object");
  }
  return Json(value_.extract<Poco::JSON::Object::Ptr>()->get(key));
}

std::string Json::text(std::string_view fallback) const {
  if (is_null()) {
    return std::string(fallback);
  }
  if (!value_.isString()) {
    throw_wrong_type("a string");
  }
  return value_.extract<std::string>();
}

std::int64_t Json::number(std::int64_t fallback) const {
  if (is_null()) {
    return fallback;
  }
  if (!value_.isInteger()) {
    throw_wrong_type("a whole number");
  }
  return value_.convert<std::int64_t>();
}

bool Json::boolean(bool fallback) const {
  if (is_null()) {
    return fallback;
  }
  if (!value_.isBoolean()) {
    throw_wrong_type("true or false");
  }
  return value_.extract<bool>();
}

std::vector<Json> Json::elements() const {
  std::vector<Json> result;
  if (is_null()) {
    return result;
  }
  if (value_.type() != typeid(Poco::JSON::Array::Ptr)) {
    throw_wrong_type("an array");
  }
  const auto& array = *value_.extract<Poco::JSON::Array::Ptr>();
  result.reserve(array.size());
  for (const auto& element : array) {
    result.push_back(Json(element));
  }
  return result;
}

std::vector<std::pair<std::string, Json>> Json::members() const {
  std::vector<std::pair<std::string, Json>> result;
  if (is_null()) {
    return result;
  }
  if (value_.type() != typeid(Poco::JSON::Object::Ptr)) {
    throw_wrong_type("an object");
  }
  for (const auto& [key, value] : *value_.extract<Poco::JSON::Object::Ptr>()) {
    result.emplace_back(key, Json(value));
  }
  return result;
}

std::map<std::string, std::string> Json::texts() const {
  std::map<std::string, std::string> result;
  for (const auto& [key, value] : members()) {
    result.emplace(key, value.text());
  }
  return result;
}

}  // namespace vkhost::mock
