// Asks the API server for each right that a feature in use needs (SelfSubjectAccessReview). Nothing is
// tried out. [any-thread] [may-block]
#pragma once

#include "base/clock.hpp"
#include "doctor/report.hpp"
#include "doctor/rights.hpp"
#include "kube/client.hpp"

#include <string>

namespace vkhost::doctor {

// `user` is the daemon's name to the API server, for the words only. One finding for each feature that has
// all its rights, and one for each right that is missing.
void check_rights(kube::Client& client,
                  const Clock& clock,
                  const Uses& uses,
                  const Asker& asker,
                  const std::string& user,
                  Report& report);

// While there are only bootstrap credentials: whether they may ask for a certificate.
void check_bootstrap_rights(kube::Client& client, const Clock& clock, Report& report);

}  // namespace vkhost::doctor
