#include "resolve/service_accounts.hpp"

#include "resolve/pull_references.hpp"

#include <chrono>
#include <cstddef>
#include <utility>

namespace vkhost::resolve {
namespace {

// For pods that come together.
constexpr std::chrono::seconds kFresh{1};
// A right that is given later is found after so long at most.
constexpr std::chrono::minutes kRefused{5};
constexpr std::size_t kMaxBytes = std::size_t{1024} * 1024;

}  // namespace

ServiceAccounts::ServiceAccounts(ObjectSource& source, const Clock& clock, observe::Logger log)
    : source_(source),
      clock_(clock),
      log_(std::move(log)),
      known_(clock, kFresh, kMaxBytes),
      refused_(clock, kRefused, kMaxBytes) {}

Result<std::vector<std::string>> ServiceAccounts::pull_secrets(const std::string& account_namespace,
                                                               const std::string& name,
                                                               const CancelToken& cancel) {
  if (refused_.find(account_namespace) != nullptr) {
    return Names();
  }
  // A line break stands in no namespace.
  const std::string key = account_namespace + "\n" + name;
  if (const auto known = known_.find(key)) {
    return *known;
  }
  const SteadyTime began = clock_.steady_now();
  const auto account = source_.get_service_account(account_namespace, name, cancel);
  if (account.status().code() == StatusCode::PermissionDenied) {
    if (!is_said_.exchange(true)) {
      log_.warn(
          "service accounts may not be read: their image pull secrets count only for pods that "
          "name "
          "none themselves",
          {{"namespace", account_namespace}, observe::error_field(account.status())});
    }
    refused_.put(account_namespace, std::make_shared<const Names>(), kEntryBytes, began);
    return Names();
  }
  if (!account) {
    const bool is_missing = account.status().code() == StatusCode::NotFound;
    return is_missing ? Result<Names>(Names()) : account.status();
  }
  VKHOST_TRY_ASSIGN(Names names, read_pull_secrets(*account, "the service account"));
  std::size_t bytes = kEntryBytes + key.size();
  for (const std::string& each : names) {
    bytes += sizeof(std::string) + each.size();
  }
  known_.put(key, std::make_shared<const Names>(names), bytes, began);
  return names;
}

}  // namespace vkhost::resolve
