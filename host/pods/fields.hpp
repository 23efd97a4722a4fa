// Fields of a pod that its provider does not honour as they are written, and how the pod says so.
//
// A provider tells them in two ways: rules that hold for every pod (Capabilities::fields) and
// findings about one pod (Provider::explain). A field counts where somebody set it: what the API
// server fills in by itself is nobody's wish. [any-thread] [no-block]
#pragma once

#include "plugin/provider.hpp"
#include "pods/admission.hpp"
#include "pods/status_merge.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::pods {

// The rules of one provider, put in order once.
class FieldRules {
 public:
  explicit FieldRules(const std::vector<plugin::FieldRule>& rules);
  ~FieldRules();
  FieldRules(const FieldRules&) = delete;
  FieldRules& operator=(const FieldRules&) = delete;

  // Where `pod_json` breaks them, in the order of the document. The JSON has to be valid.
  [[nodiscard]] std::vector<plugin::Finding> findings(std::string_view pod_json) const;

 private:
  struct Node;
  const std::unique_ptr<Node> root_;
};

// Each field once: the stricter finding, and of two alike that of `told`.
[[nodiscard]] std::vector<plugin::Finding> joined_findings(
    std::vector<plugin::Finding> told, const std::vector<plugin::Finding>& by_rule);

// "/spec/x: text; /spec/y: text", at most `max_bytes` (100 or more); "and 7 more" stands for the rest.
[[nodiscard]] std::string findings_text(const std::vector<plugin::Finding>& findings,
                                        std::size_t max_bytes);

// Why the pod may not run with them: for what is refused, and if `rejects` for what is ignored.
[[nodiscard]] std::optional<Rejection> unsupported_fields(
    const std::vector<plugin::Finding>& findings, bool rejects);

// vkhost.io/FieldsHonoured, which a pod without findings does not have.
[[nodiscard]] HostCondition fields_condition(const std::vector<plugin::Finding>& findings);

}  // namespace vkhost::pods
