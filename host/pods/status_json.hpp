// Small readings of status documents, shared by the two files that make and merge them. Poco throws
// for members of unexpected types: callers fence.
#pragma once

#include "base/status.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <string>
#include <string_view>

namespace vkhost::pods {

// INVALID_ARGUMENT begins with `what`.
Result<Poco::JSON::Object::Ptr> parse_object(std::string_view text, std::string_view what);
// Empty when there is no such string.
std::string string_member(const Poco::JSON::Object& object, const std::string& name);
std::string text_of(const Poco::Dynamic::Var& value);

// INVALID_ARGUMENT for what must not go into a patch, however deep it stands: a name that begins with
// '$', which is an order there, and a number that is not read as it was written (1e999, -0.0).
Status refuse_unwritable(const Poco::JSON::Object& object);

// The element of a list of objects whose `name` is `name`; null when there is none.
Poco::JSON::Object::Ptr find_named(const Poco::JSON::Array::Ptr& list,
                                   const std::string& member,
                                   const std::string& value);

}  // namespace vkhost::pods
