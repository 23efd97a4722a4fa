#include "support/material.hpp"

#include <Poco/Base64Decoder.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <iterator>
#include <ostream>
#include <sstream>
#include <utility>

namespace vkhost::testing {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

// Of an array of objects, each turned into a value; none when it is left out.
template <class Read>
auto read_each(const Array::Ptr& array, const Read& read) {
  std::vector<decltype(read(std::declval<const Object&>()))> values;
  for (unsigned i = 0; !array.isNull() && i < array->size(); ++i) {
    const Object::Ptr item = array->getObject(i);
    if (item.isNull()) {
      throw Poco::DataFormatException("an element of the material is no object");
    }
    values.push_back(read(*item));
  }
  return values;
}

// Of an object of objects.
template <class Read>
auto read_members(const Object::Ptr& object, const Read& read) {
  std::map<std::string, decltype(read(std::declval<const Object&>()))> values;
  if (!object.isNull()) {
    for (const std::string& name : object->getNames()) {
      const Object::Ptr member = object->getObject(name);
      if (member.isNull()) {
        throw Poco::DataFormatException("a member of the material is no object");
      }
      values.emplace(name, read(*member));
    }
  }
  return values;
}

MaterialText read_text(const Object& json) {
  return {.value = json.getValue<std::string>("value"),
          .secret = json.optValue<bool>("secret", false)};
}

MaterialVariable read_variable(const Object& json) {
  MaterialVariable variable{.name = json.getValue<std::string>("name"),
                            .field_ref = json.optValue<std::string>("field_ref", ""),
                            .secret = json.optValue<bool>("secret", false),
                            .service = json.optValue<bool>("service", false)};
  if (variable.field_ref.empty()) {
    variable.value = json.getValue<std::string>("value");
  }
  return variable;
}

ContainerMaterial read_container(const Object& json) {
  return {.env = read_each(json.getArray("env"), read_variable),
          .command = read_each(json.getArray("command"), read_text),
          .args = read_each(json.getArray("args"), read_text),
          .sub_paths = read_members(json.getObject("sub_paths"), read_text)};
}

std::string decode(const std::string& base64) {
  std::istringstream text(base64);
  Poco::Base64Decoder decoder(text);
  return {std::istreambuf_iterator<char>(decoder), {}};
}

std::pair<std::string, MaterialFile> read_file_of_volume(const Object& json) {
  return {json.getValue<std::string>("path"),
          {.data = decode(json.getValue<std::string>("data")),
           .mode = json.optValue<int>("mode", -1),
           .secret = json.optValue<bool>("secret", false),
           .audience = json.optValue<std::string>("audience", ""),
           .expires = json.optValue<std::string>("expires", "")}};
}

std::map<std::string, MaterialFile> read_volume(const Object& json) {
  std::map<std::string, MaterialFile> files;
  for (auto& [path, file] : read_each(json.getArray("files"), read_file_of_volume)) {
    if (!files.emplace(path, std::move(file)).second) {
      throw Poco::DataFormatException("a volume of the material has two files " + path);
    }
  }
  return files;
}

std::string read_text_of(const Object& json) {
  std::ostringstream text;
  json.stringify(text);
  return text.str();
}

PullCredential read_pull_credential(const Object& json) {
  return {.server = json.getValue<std::string>("server"),
          .username = json.optValue<std::string>("username", ""),
          .password = json.optValue<std::string>("password", ""),
          .email = json.optValue<std::string>("email", ""),
          .identity_token = json.optValue<std::string>("identity_token", ""),
          .registry_token = json.optValue<std::string>("registry_token", ""),
          .secret_name = json.getValue<std::string>("secret_name")};
}

}  // namespace

const MaterialVariable* ContainerMaterial::find(std::string_view name) const {
  const auto found = std::find_if(env.begin(), env.end(),
                                  [&](const MaterialVariable& each) { return each.name == name; });
  return found == env.end() ? nullptr : &*found;
}

std::vector<std::string> ContainerMaterial::own_names() const {
  std::vector<std::string> names;
  for (const MaterialVariable& variable : env) {
    if (!variable.service) {
      names.push_back(variable.name);
    }
  }
  return names;
}

Material parse_material(std::string_view json) {
  Poco::JSON::Parser parser;
  const auto document = parser.parse(std::string(json)).extract<Object::Ptr>();
  return {
      .containers = read_members(document->getObject("containers"), read_container),
      .volumes = read_members(document->getObject("volumes"), read_volume),
      .storage = read_members(document->getObject("storage"), read_text_of),
      .pull_credentials = read_each(document->getArray("pull_credentials"), read_pull_credential)};
}

void PrintTo(const MaterialText& text, std::ostream* out) {
  *out << '"' << text.value << '"' << (text.secret ? " (secret)" : "");
}

void PrintTo(const MaterialVariable& variable, std::ostream* out) {
  *out << variable.name << "=\"" << variable.value << '"'
       << (variable.field_ref.empty() ? "" : " (late: " + variable.field_ref + ")")
       << (variable.secret ? " (secret)" : "") << (variable.service ? " (service)" : "");
}

void PrintTo(const PullCredential& credential, std::ostream* out) {
  *out << credential.server << " " << credential.username << ":" << credential.password << " of "
       << credential.secret_name;
  for (const auto& [name, value] : {std::pair("email", &credential.email),
                                    std::pair("identity_token", &credential.identity_token),
                                    std::pair("registry_token", &credential.registry_token)}) {
    *out << (value->empty() ? "" : std::string(" ") + name + "=" + *value);
  }
}

}  // namespace vkhost::testing
