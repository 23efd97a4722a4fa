// Whether certificates are good now and for a while, fit their keys, and are for the right names.
// [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "doctor/report.hpp"

#include <string>
#include <vector>

namespace vkhost::doctor {

struct CertificateQuestion {
  Matter matter;
  std::string pem;                      // the chain, leaf first
  Secret key_pem;                       // empty: not looked at
  std::vector<std::string> names = {};  // DNS names and IP addresses that the leaf should be for
  std::string renewal;                  // how one gets another certificate
};

// One finding: the worst of what is wrong. A name that is missing is a warning, since API servers check
// them only with --kubelet-certificate-authority.
void check_certificate(const CertificateQuestion& question, WallTime now, Report& report);

// Of a bundle: some that are over are a warning, all of them a problem.
void check_authorities(Matter matter,
                       const std::string& pem,
                       const std::string& renewal,
                       WallTime now,
                       Report& report);

}  // namespace vkhost::doctor
