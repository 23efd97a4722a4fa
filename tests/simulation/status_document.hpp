// StatusDocument: status of a pod as an API server keeps it, merged strategically from the raw text of
// patches. Only what PodStatus needs: `conditions` merge by type, `podIPs` and `hostIPs` by ip,
// everything else is replaced. Fast, because a simulation merges millions. Not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::simulation {

class StatusDocument {
 public:
  // False when the patch changes nothing, or is no JSON object.
  bool merge(std::string_view patch);
  [[nodiscard]] std::string text() const;
  // Raw JSON of a member; empty when there is none.
  [[nodiscard]] std::string_view member(std::string_view name) const;
  // Of a string member, without its quotes.
  [[nodiscard]] std::string_view string_member(std::string_view name) const;
  // "True", "False" or empty.
  [[nodiscard]] std::string_view condition(std::string_view type) const;

 private:
  using Members = std::vector<std::pair<std::string, std::string>>;
  static bool merge_members(std::string_view patch, Members* members);
  bool merge_conditions(std::string_view patch);
  bool merge_addresses(std::string_view name, std::string_view patch);

  Members members_;
  std::vector<std::pair<std::string, Members>> conditions_;  // by type
};

}  // namespace vkhost::simulation
