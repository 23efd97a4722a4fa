#include "node/capacity_file.hpp"

#include "kube/quantity.hpp"
#include "node/node_json.hpp"

#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

namespace vkhost::node {
namespace {

constexpr std::uintmax_t kMaxBytes = 1024UL * 1024;

// What is counted comes in whole ones: the API server refuses the whole node for half a device.
bool is_counted(const std::string& resource) {
  constexpr std::string_view kKubernetes = "kubernetes.io";
  const std::string_view domain = std::string_view(resource).substr(0, resource.find('/'));
  const bool is_own =
      domain == kKubernetes ||
      (domain.ends_with(kKubernetes) && domain[domain.size() - kKubernetes.size() - 1] == '.');
  return resource == "pods" || (domain.size() < resource.size() && !is_own);
}

Result<std::map<std::string, std::string>> read_quantities(const Object::Ptr& document,
                                                           const std::string& member) {
  std::map<std::string, std::string> quantities;
  if (!document->has(member)) {
    return quantities;
  }
  const Object::Ptr given = document->getObject(member);
  if (given.isNull()) {
    return invalid_argument("'" + member + "' is not an object");
  }
  for (const auto& [resource, value] : *given) {
    if (!value.isString() && !value.isNumeric()) {
      return invalid_argument("'" + member + "." + resource + "' is neither text nor a number");
    }
    std::string text = value.toString();
    const auto quantity = kube::Quantity::parse(text);
    if (!quantity.is_ok()) {
      return quantity.status().while_doing("'" + member + "." + resource + "'");
    }
    if (is_counted(resource) && !quantity->is_whole()) {
      return invalid_argument("'" + member + "." + resource + "' is no whole number");
    }
    quantities.emplace(resource, std::move(text));
  }
  return quantities;
}

}  // namespace

Result<CapacityFileContent> parse_capacity(const std::string& text) {
  return translated("the capacity", [&]() -> Result<CapacityFileContent> {
    VKHOST_TRY_ASSIGN(const Object::Ptr document, parse_object(text, "the capacity"));
    for (const std::string& name : document->getNames()) {
      if (name != "capacity" && name != "allocatable") {
        return invalid_argument("'" + name + "' is neither 'capacity' nor 'allocatable'");
      }
    }
    CapacityFileContent content;
    VKHOST_TRY_ASSIGN(content.capacity, read_quantities(document, "capacity"));
    VKHOST_TRY_ASSIGN(content.allocatable, read_quantities(document, "allocatable"));
    return content;
  });
}

Result<std::optional<CapacityFileContent>> CapacityFile::read() {
  if (path_.empty()) {
    return std::optional<CapacityFileContent>();
  }
  State now;
  std::error_code error;
  // What is no regular file could hold its reader up for ever.
  now.exists = std::filesystem::is_regular_file(path_, error);
  now.written = std::filesystem::last_write_time(path_, error);
  now.exists = now.exists && !error;
  now.size = now.exists ? std::filesystem::file_size(path_, error) : 0;
  if (last_ == now) {
    return std::optional<CapacityFileContent>();
  }
  last_ = now;
  if (!now.exists) {
    return not_found("there is no regular file " + path_);
  }
  std::ifstream file(path_, std::ios::binary);
  if (!file) {
    return Status(StatusCode::PermissionDenied, "file " + path_ + " cannot be read");
  }
  if (now.size > kMaxBytes) {
    return invalid_argument("file " + path_ + " has more than 1 MiB");
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty()) {  // somebody is about to write it
    return invalid_argument("file " + path_ + " is empty");
  }
  auto content = parse_capacity(text);
  if (!content.is_ok()) {
    return content.status().while_doing("reading " + path_);
  }
  return std::optional(std::move(*content));
}

}  // namespace vkhost::node
