#include "daemon/runtime_file.hpp"

#include "daemon/state_file.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <sstream>

namespace vkhost::daemon {

using Poco::JSON::Array;
using Poco::JSON::Object;

std::filesystem::path runtime_file_path(const std::filesystem::path& runtime_folder) {
  return runtime_folder / "daemon.json";
}

Status write_runtime_file(const std::filesystem::path& runtime_folder, const RuntimeFile& file) {
  Array::Ptr nodes = new Array;
  for (const RuntimeNode& node : file.nodes) {
    Object::Ptr item = new Object;
    item->set("name", node.name);
    item->set("address", node.address);
    item->set("port", static_cast<int>(node.port));
    nodes->add(item);
  }
  Object document;
  document.set("pid", file.pid);
  document.set("token", file.token.reveal());
  document.set("certificate", file.certificate_pem);
  document.set("nodes", nodes);
  std::ostringstream out;
  document.stringify(out);
  VKHOST_TRY(make_private_folder(runtime_folder));
  return write_state_file(runtime_file_path(runtime_folder), out.str(), Durability::Crash);
}

Result<RuntimeFile> read_runtime_file(const std::filesystem::path& runtime_folder) {
  const std::filesystem::path path = runtime_file_path(runtime_folder);
  VKHOST_TRY_ASSIGN(const std::string text, read_state_file(path));
  try {
    Poco::JSON::Parser parser;
    const Object::Ptr document = parser.parse(text).extract<Object::Ptr>();
    RuntimeFile file;
    file.pid = document->getValue<std::int64_t>("pid");
    file.token = Secret(document->getValue<std::string>("token"));
    file.certificate_pem = document->getValue<std::string>("certificate");
    const Array::Ptr nodes = document->getArray("nodes");
    for (std::size_t i = 0; !nodes.isNull() && i < nodes->size(); ++i) {
      const Object::Ptr item = nodes->getObject(static_cast<unsigned>(i));
      if (item.isNull()) {
        return invalid_argument(path.string() + ": nodes holds something that is not an object");
      }
      file.nodes.push_back({item->getValue<std::string>("name"),
                            item->getValue<std::string>("address"),
                            item->getValue<std::uint16_t>("port")});
    }
    return file;
  } catch (const Poco::Exception& error) {
    return invalid_argument(path.string() + " is not of the expected form: " + error.displayText());
  }
}

}  // namespace vkhost::daemon
