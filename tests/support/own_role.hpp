// OwnRole: what packaging/rbac lets the daemon do, right by right, and the same rights for somebody
// else. [any-thread] [may-block]; verbs throw std::runtime_error.
#pragma once

#include "support/cluster.hpp"

#include <iosfwd>
#include <string>
#include <vector>

namespace vkhost::testing {

// One verb of one resource.
struct OwnRight {
  std::string feature = {};  // the file's name without ".yaml"
  std::string api_group = {};
  std::string resource = {};  // "pods", "pods/status"
  std::string verb = {};
  std::string namespace_name = {};  // empty: everywhere
  std::string object_name = {};     // empty: whatever its name

  // "patch pods/status", as Traffic counts its requests.
  [[nodiscard]] std::string label() const { return verb + " " + resource; }
  // Who has this one may do all that the other one allows.
  [[nodiscard]] bool covers(const OwnRight& other) const;
};

std::ostream& operator<<(std::ostream& out, const OwnRight& right);

// Of all files for the daemon's service account, in the order of the files.
[[nodiscard]] std::vector<OwnRight> own_rights();

// While it lives, the user of that name has those rights.
class GrantedRights {
 public:
  // Returns when they are in force.
  GrantedRights(Cluster& cluster, std::string user, const std::vector<OwnRight>& rights);
  ~GrantedRights();
  GrantedRights(const GrantedRights&) = delete;
  GrantedRights& operator=(const GrantedRights&) = delete;

  // Whether the user may do that, by these rights or by what the cluster gives to everybody.
  [[nodiscard]] bool allow(const OwnRight& right) const;

 private:
  // In one namespace, or, where that is empty, everywhere.
  void grant(const std::string& namespace_name, const std::string& rules);

  Cluster& cluster_;
  const std::string user_;
  const std::string name_ = Cluster::unique_name("granted");
  std::vector<std::string> to_remove_;
};

}  // namespace vkhost::testing
