#include "doctor/certificate_checks.hpp"

#include "base/joined.hpp"
#include "http/certificate_request.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace vkhost::doctor {
namespace {

// Of a certificate that lives for a month or longer; of others the last fifth of their life.
constexpr std::chrono::hours kExpiresSoon{7 * 24};
constexpr int kLastPart = 5;

enum class Life { Good, Ending, NotYet, Over };

Life life_of(const http::CertificateFacts& facts, WallTime now) {
  if (facts.not_after <= now) {
    return Life::Over;
  }
  if (facts.not_before > now) {
    return Life::NotYet;
  }
  const WallTime::duration left = facts.not_after - now;
  const WallTime::duration whole = facts.not_after - facts.not_before;
  return left < std::min<WallTime::duration>(kExpiresSoon, whole / kLastPart) ? Life::Ending
                                                                              : Life::Good;
}

std::string name_of(const http::CertificateFacts& facts) {
  return facts.subject.common_name.empty() ? std::string("without a common name")
                                           : "of " + facts.subject.common_name;
}

// Those of `names` that the certificate is not for.
std::vector<std::string> missing_names(const CertificateQuestion& question) {
  std::vector<std::string> missing;
  std::copy_if(question.names.begin(), question.names.end(), std::back_inserter(missing),
               [&](const std::string& name) {
                 return !http::check_name_of_certificate(question.pem, name).is_ok();
               });
  return missing;
}

}  // namespace

void check_certificate(const CertificateQuestion& question, WallTime now, Report& report) {
  const auto facts = http::read_certificate_facts(question.pem);
  if (!facts.is_ok()) {
    report.problem(question.matter, facts.status().message(), question.renewal);
    return;
  }
  const std::string whose = name_of(*facts);
  const std::string until = format_time(facts->not_after);
  const Life life = life_of(*facts, now);
  if (life == Life::Over) {
    report.problem(question.matter, whose + ": it expired at " + until, question.renewal);
    return;
  }
  if (life == Life::NotYet) {
    report.problem(question.matter,
                   whose + ": it is good from " + format_time(facts->not_before) + " on only",
                   "Look at this machine's clock first. " + question.renewal);
    return;
  }
  if (!question.key_pem.empty()) {
    if (const Status fits = http::check_key_of_certificate(question.pem, question.key_pem);
        !fits.is_ok()) {
      report.problem(question.matter, whose + ": " + fits.message(),
                     "Put key and certificate of one issue in place.");
      return;
    }
  }
  if (const auto missing = missing_names(question); !missing.empty()) {
    report.warning(question.matter, whose + ": it is not for " + joined(missing),
                   "Harmless unless the API server runs with --kubelet-certificate-authority; "
                   "else get one with these names.");
  } else if (life == Life::Ending) {
    report.warning(question.matter, whose + ": it expires soon, at " + until, question.renewal);
  } else {
    report.ok(question.matter, whose + ", good until " + until);
  }
}

void check_authorities(Matter matter,
                       const std::string& pem,
                       const std::string& renewal,
                       WallTime now,
                       Report& report) {
  const auto all = http::read_all_certificate_facts(pem);
  if (!all.is_ok()) {
    report.problem(std::move(matter), all.status().message(), renewal);
    return;
  }
  std::vector<std::string> bad;
  bool has_good = false;
  for (const http::CertificateFacts& facts : *all) {
    const Life life = life_of(facts, now);
    has_good = has_good || life == Life::Good || life == Life::Ending;
    if (life == Life::NotYet) {
      bad.push_back("that " + name_of(facts) + " is good from " + format_time(facts.not_before) +
                    " on only");
    } else if (life != Life::Good) {
      bad.push_back("that " + name_of(facts) +
                    (life == Life::Over ? " expired at " : " expires soon, at ") +
                    format_time(facts.not_after));
    }
  }
  if (!has_good) {
    report.problem(std::move(matter), joined(bad), renewal);
  } else if (!bad.empty()) {
    report.warning(std::move(matter), joined(bad), renewal);
  } else {
    const auto first = std::min_element(
        all->begin(), all->end(),
        [](const auto& left, const auto& right) { return left.not_after < right.not_after; });
    report.ok(std::move(matter), std::to_string(all->size()) +
                                     (all->size() == 1 ? " certificate" : " certificates") +
                                     ", good until " + format_time(first->not_after));
  }
}

}  // namespace vkhost::doctor
