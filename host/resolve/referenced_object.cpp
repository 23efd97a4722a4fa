#include "resolve/referenced_object.hpp"

#include "base/base64.hpp"
#include "resolve/json_members.hpp"

#include <utility>

namespace vkhost::resolve {
namespace {

enum class Encoding { Plain, Base64 };
using Items = std::map<std::string, Secret, std::less<>>;

Status take_items(const Poco::JSON::Object& document,
                  const std::string& member,
                  Encoding encoding,
                  Items& taken,
                  std::size_t& bytes) {
  VKHOST_TRY_ASSIGN(const auto items, read_object(document, member, Place("the object")));
  if (items.isNull()) {
    return Status::ok();
  }
  for (const auto& [key, value] : *items) {
    const auto broken = [&, name = &key](const char* what) {
      std::string message = member;
      message.append("[\"").append(*name).append("\"] is not ").append(what);
      return invalid_argument(std::move(message));
    };
    const bool is_empty = value.isEmpty();  // null: as an empty string, as in the API
    if (!is_empty && value.type() != typeid(std::string)) {
      return broken("a string");
    }
    std::string text = is_empty ? std::string() : value.extract<std::string>();
    if (encoding == Encoding::Base64) {
      auto decoded = base64_decode(text);
      if (!decoded) {
        return broken("base64");
      }
      text = std::move(*decoded);
    }
    bytes += key.size() + text.size();
    taken.insert_or_assign(key, Secret(std::move(text)));
  }
  return Status::ok();
}

}  // namespace

Result<ReferencedObject> parse_config_map(std::string_view json) {
  VKHOST_TRY_ASSIGN(const auto document, parse_json_object(json, "the ConfigMap"));
  ReferencedObject object;
  VKHOST_TRY(take_items(*document, "data", Encoding::Plain, object.items, object.bytes));
  VKHOST_TRY(
      take_items(*document, "binaryData", Encoding::Base64, object.binary_items, object.bytes));
  return object;
}

Result<ReferencedObject> parse_secret(std::string_view json) {
  VKHOST_TRY_ASSIGN(const auto document, parse_json_object(json, "the Secret"));
  ReferencedObject object;
  VKHOST_TRY(take_items(*document, "data", Encoding::Base64, object.items, object.bytes));
  VKHOST_TRY(take_items(*document, "stringData", Encoding::Plain, object.items, object.bytes));
  return object;
}

}  // namespace vkhost::resolve
