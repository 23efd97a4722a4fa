#include "resolve/field_references.hpp"

namespace vkhost::resolve {

Result<FieldReference> read_field_reference(const Poco::JSON::Object& from, const Place& place) {
  FieldReference reference;
  VKHOST_TRY_ASSIGN(reference.api_version, read_string(from, "apiVersion", place));
  VKHOST_TRY_ASSIGN(reference.path, read_string(from, "fieldPath", place));
  return reference;
}

Result<ResourceReference> read_resource_reference(const Poco::JSON::Object& from,
                                                  const Place& place) {
  ResourceReference reference;
  VKHOST_TRY_ASSIGN(reference.container, read_string(from, "containerName", place));
  VKHOST_TRY_ASSIGN(reference.resource, read_string(from, "resource", place));
  const Poco::Dynamic::Var divisor = from.get("divisor");
  if (!divisor.isEmpty()) {
    VKHOST_TRY_ASSIGN(reference.divisor, quantity_text(divisor, Place(place, "divisor")));
  }
  return reference;
}

}  // namespace vkhost::resolve
