// Reading members of a JSON document whose types are not to be trusted: what is absent or null
// yields an empty value, what has another type is INVALID_ARGUMENT with the place of the member.
//
// For the sources of this room alone. Poco's own accessors convert silently ("abc" to true), so
// none of them is used elsewhere here. Nothing throws. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost::resolve {

// Where a value stands ("spec.containers[1].env[0]"), written out only for a message. Lives on the
// stack of the function that reads; a place refers to the one above it.
class Place {
 public:
  explicit Place(std::string_view name) : name_(name) {}
  Place(const Place& parent, std::string_view name) : parent_(&parent), name_(name) {}
  Place(const Place& parent, std::string_view name, std::size_t index)
      : parent_(&parent), name_(name), index_(index) {}

  [[nodiscard]] std::string text() const;
  [[nodiscard]] Status wrong_type(std::string_view wanted) const;

 private:
  const Place* parent_ = nullptr;
  std::string_view name_;
  std::optional<std::size_t> index_;
};

// `what` names the document in messages. Its text never gets into a message: it may be a Secret.
Result<Poco::JSON::Object::Ptr> parse_json_object(std::string_view text, std::string_view what);

Result<std::optional<std::string>> find_string(const Poco::JSON::Object& object,
                                               const std::string& key,
                                               const Place& place);
Result<std::string> read_string(const Poco::JSON::Object& object,
                                const std::string& key,
                                const Place& place);
Result<bool> read_bool(const Poco::JSON::Object& object,
                       const std::string& key,
                       const Place& place,
                       bool otherwise);
// A whole number; one written with a fraction or an exponent is none.
Result<std::optional<std::int64_t>> find_integer(const Poco::JSON::Object& object,
                                                 const std::string& key,
                                                 const Place& place);
// Null pointers for what is absent.
Result<Poco::JSON::Object::Ptr> read_object(const Poco::JSON::Object& object,
                                            const std::string& key,
                                            const Place& place);
Result<Poco::JSON::Array::Ptr> read_array(const Poco::JSON::Object& object,
                                          const std::string& key,
                                          const Place& place);
// Elements must be of that type; `place` is that of the array's element.
Result<Poco::JSON::Object::Ptr> object_at(const Poco::JSON::Array& array,
                                          std::size_t index,
                                          const Place& place);
Result<std::string> string_at(const Poco::JSON::Array& array,
                              std::size_t index,
                              const Place& place);
// A string, or a number as text: v1.Quantity may be written either way.
Result<std::string> quantity_text(const Poco::Dynamic::Var& value, const Place& place);

}  // namespace vkhost::resolve
