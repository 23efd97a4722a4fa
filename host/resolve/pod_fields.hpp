// PodFields: values of fieldRef.
//
// Lives for one material. The metadata is parsed when a label or annotation is asked for, the
// status when an address is. [pod-serial] [no-block]
#pragma once

#include "base/status.hpp"
#include "kube/pod_record.hpp"
#include "resolve/node_facts.hpp"
#include "resolve/pod_view.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::resolve {

enum class PodAddresses {
  FromStatus,  // an address of the pod must stand in its status
  Late         // the provider fills it in
};

struct FieldValue {
  std::string text;
  bool late = false;  // an address that the provider fills in
};

class PodFields {
 public:
  // All outlive this object.
  PodFields(const kube::PodRecord& pod,
            const PodView& view,
            const NodeFacts& node,
            PodAddresses addresses)
      : pod_(pod), view_(view), node_(node), addresses_(addresses) {}

  // FAILED_PRECONDITION: Retry::Never when there is no such field, else not known yet.
  Result<FieldValue> read(const FieldReference& reference);

 private:
  using Labels = std::map<std::string, std::string>;

  Result<FieldValue> labels_or_annotations(std::string_view path);
  Result<FieldValue> one_of_map(std::string_view path, const std::string& key);
  Result<const Labels*> metadata_map(const std::string& member);
  Result<FieldValue> address(const std::string& path);
  [[nodiscard]] Result<std::vector<std::string>> status_addresses(const std::string& single,
                                                                  const std::string& plural,
                                                                  const std::string& item) const;

  const kube::PodRecord& pod_;
  const PodView& view_;
  const NodeFacts& node_;
  const PodAddresses addresses_;
  std::map<std::string, Labels> maps_;  // "labels", "annotations", once asked for
};

// `text` as Go's %q writes it, in which Kubernetes lists labels and annotations.
std::string go_quoted(std::string_view text);
// "example.com/name" or "name", as keys of labels and annotations are checked.
bool is_qualified_name(std::string_view text);

}  // namespace vkhost::resolve
