#include "pods/status_json.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Parser.h>

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
