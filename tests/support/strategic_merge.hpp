// What the API server makes of a strategic merge patch of a PodStatus or a Node, orders ($patch)
// included: for fakes of it, and for fuzzers that look whether anything is left to send.
#pragma once

#include <Poco/JSON/Object.h>

#include <string>

namespace vkhost::testing {

Poco::JSON::Object::Ptr parse_object(const std::string& text);
std::string text_of(const Poco::JSON::Object::Ptr& object);
Poco::JSON::Object::Ptr object_member(Poco::JSON::Object::Ptr object, const std::string& name);

void strategic_merge(Poco::JSON::Object::Ptr target, const Poco::JSON::Object::Ptr& patch);

}  // namespace vkhost::testing
