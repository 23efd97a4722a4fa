// Whether the cluster publishes the authority that signs the API server's client certificates, where the
// kubelet API takes it from there, and whether it is still good. [any-thread] [may-block]
#pragma once

#include "base/clock.hpp"
#include "doctor/report.hpp"
#include "kube/client.hpp"

namespace vkhost::doctor {

// One finding. Where the daemon may not read it, that is for the check of its rights to say.
void check_client_authority(kube::Client& client, const Clock& clock, Report& report);

}  // namespace vkhost::doctor
