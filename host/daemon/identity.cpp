#include "daemon/identity.hpp"

#include "node/node_object.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace vkhost::daemon {
namespace {

struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};

// FNV-1a from two starting points. A zero byte keeps ("a", "bc") apart from ("ab", "c").
Hash128 hash128(std::string_view first, std::string_view second) {
  const auto hash = [&](std::uint64_t state) {
    constexpr std::uint64_t kPrime = 0x100000001b3;
    for (const std::string_view part : {first, std::string_view("\0", 1), second}) {
      for (const char c : part) {
        state = (state ^ static_cast<unsigned char>(c)) * kPrime;
      }
    }
    return state ^ (state >> 29U);
  };
  return {hash(0xcbf29ce484222325), hash(0x9ae16a3b2f90404f)};
}

}  // namespace

std::string content_uid(std::string_view node_name, std::string_view content) {
  const auto [high, low] = hash128(node_name, content);
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFFU,
                     high & 0xFFFU, 0x8000U | ((low >> 48U) & 0x3FFFU), low & 0xFFFFFFFFFFFFU);
}

std::string owner_key(std::string_view cluster_uid, std::string_view node_name) {
  const auto [high, low] = hash128(cluster_uid, node_name);
  return fmt::format("vkhost-{:016x}{:016x}", high, low);
}

std::string node_of_user(std::string_view user, const std::vector<std::string>& groups) {
  constexpr std::string_view kPrefix = "system:node:";
  const bool is_node = user.starts_with(kPrefix) &&
                       std::find(groups.begin(), groups.end(), "system:nodes") != groups.end();
  return is_node ? std::string(user.substr(kPrefix.size())) : std::string();
}

Status check_node_identity(std::string_view identity, std::string_view name) {
  if (identity.empty() || identity == name) {
    return Status::ok();
  }
  return failed_precondition(
      fmt::format("the credentials for the API server are those of node {}, which may not act for "
                  "node {}; name the node {}, or give the daemon other credentials",
                  identity, name, identity));
}

Status check_cluster_uid(std::string_view kept, std::string_view uid, std::string_view name) {
  if (kept.empty() || kept == uid) {
    return Status::ok();
  }
  return failed_precondition(fmt::format(
      "the workloads of node {} are marked with the cluster's UID {} (its annotation {}), and now "
      "that is {}: none of them would be found, and their pods be taken for lost; set "
      "kubernetes.cluster_uid to {} to go on with them, or, to go on without: "
      "kubectl annotate node {} {}-",
      name, kept, node::kClusterUidAnnotation, uid, kept, name, node::kClusterUidAnnotation));
}

}  // namespace vkhost::daemon
