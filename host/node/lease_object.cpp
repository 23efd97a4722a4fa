#include "node/lease_object.hpp"

#include "node/node_json.hpp"

namespace vkhost::node {
namespace {

void fill_lease(Object::Ptr lease, const LeaseSources& sources) {
  Object::Ptr metadata = object_member(lease, "metadata");
  metadata->set("name", std::string(sources.node_name));
  metadata->set("namespace", "kube-node-lease");
  metadata->remove("managedFields");
  Array::Ptr owners = new Array;
  owners->add(as_object({{"apiVersion", "v1"},
                         {"kind", "Node"},
                         {"name", std::string(sources.node_name)},
                         {"uid", std::string(sources.node_uid)}}));
  metadata->set("ownerReferences", owners);
  Object::Ptr spec = object_member(lease, "spec");
  spec->set("holderIdentity", std::string(sources.node_name));
  spec->set("leaseDurationSeconds",
            std::chrono::duration_cast<std::chrono::seconds>(sources.duration).count());
  spec->set("renewTime", format_micro_time(sources.now));
  lease->set("metadata", metadata);
  lease->set("spec", spec);
}

}  // namespace

std::string new_lease(const LeaseSources& sources) {
  Object::Ptr lease = new Object;
  lease->set("apiVersion", "coordination.k8s.io/v1");
  lease->set("kind", "Lease");
  fill_lease(lease, sources);
  return text_of(lease);
}

Result<std::string> renewed_lease(const LeaseSources& sources, std::string_view present_json) {
  return translated("the lease in the API", [&]() -> Result<std::string> {
    VKHOST_TRY_ASSIGN(Object::Ptr lease, parse_object(present_json, "the lease in the API"));
    fill_lease(lease, sources);
    return text_of(lease);
  });
}

}  // namespace vkhost::node
