#include "kube/client_certificate.hpp"

#include "base/base64.hpp"
#include "base/json_text.hpp"
#include "base/mutex.hpp"
#include "kube/json_reader.hpp"
#include "kube/paths.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace vkhost::kube {
namespace {

namespace dom = simdjson::dom;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The key of a request that has not been answered yet; empty: there is none.
constexpr std::string_view kPending = "client-request.key";
constexpr std::string_view kKeyBegins = "-----BEGIN PRIVATE KEY-----";
constexpr std::string_view kNodesGroup = "system:nodes";
constexpr seconds kCallTimeout{30};
// Of a certificate's life is over when the next one is asked for; somewhere between, so that nodes
// that came together do not all ask together.
constexpr double kRenewFrom = 0.7;
constexpr double kRenewUntil = 0.9;

struct Issue {
  std::string certificate_pem;  // empty: not yet
  std::string refusal;          // empty: not refused
};

Status take_conditions(const OptionalElement& member, Issue& issue) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::array conditions, as_array(*member, "status.conditions"));
  for (const dom::element element : conditions) {
    VKHOST_TRY_ASSIGN(const dom::object condition, as_object(element, "status.conditions[]"));
    std::array<OptionalElement, 3> found;
    VKHOST_TRY(
        find_members<3>(condition, "status.conditions[].", {"type", "reason", "message"}, found));
    std::string type;
    std::string reason;
    std::string message;
    VKHOST_TRY(read_string(found[0], "status.conditions[].type", type));
    VKHOST_TRY(read_string(found[1], "status.conditions[].reason", reason));
    VKHOST_TRY(read_string(found[2], "status.conditions[].message", message));
    if (type == "Denied" || type == "Failed") {
      issue.refusal = type + " (" + reason + "): " + message;
    }
  }
  return Status::ok();
}

Status read_issue(std::string_view json, Issue& issue) {
  VKHOST_TRY_ASSIGN(const dom::element root, read_json(json));
  VKHOST_TRY_ASSIGN(const dom::object object, as_object(root, "the request"));
  std::array<OptionalElement, 1> status;
  VKHOST_TRY(find_members<1>(object, "", {"status"}, status));
  if (!status[0]) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::object members, as_object(*status[0], "status"));
  std::array<OptionalElement, 2> found;
  VKHOST_TRY(find_members<2>(members, "status.", {"certificate", "conditions"}, found));
  VKHOST_TRY(take_conditions(found[1], issue));
  std::string encoded;
  VKHOST_TRY(read_string(found[0], "status.certificate", encoded));
  if (!encoded.empty()) {
    auto decoded = base64_decode(encoded);
    if (!decoded) {
      return invalid_argument("status.certificate is not base64");
    }
    issue.certificate_pem = std::move(*decoded);
  }
  return Status::ok();
}

// API servers before 1.27 insist on all three uses.
std::string request_body(const std::string& name, const std::string& request_pem) {
  std::string body = R"({"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest",)"
                     R"("metadata":{"name":)";
  append_json_string(body, name);
  body += R"(},"spec":{"request":")" + base64_encode(request_pem) +
          R"(","signerName":"kubernetes.io/kube-apiserver-client-kubelet",)"
          R"("usages":["digital signature","key encipherment","client auth"]}})";
  return body;
}

}  // namespace

// The certificate of the moment, and who waits for it. Outlives the ClientCertificate with those who
// hold the credentials.
class ClientCertificate::Holder final : public Credentials {
 public:
  Holder(std::shared_ptr<Credentials> server, std::shared_ptr<const Clock> clock)
      : server_(std::move(server)), clock_(std::move(clock)) {}

  Result<Identity> current(Deadline deadline, const CancelToken& cancel) override {
    VKHOST_TRY_ASSIGN(const Identity server, server_->current(deadline, cancel));
    const CancelCallback wake(cancel, [this] { wake_all(); });
    const MutexLock lock(mutex_);
    while (!is_usable()) {
      if (cancel.is_cancelled()) {
        return cancelled("stopped while waiting for a client certificate");
      }
      if (!changed_.wait_until(mutex_, deadline.when()) && deadline.is_past(clock_->steady_now())) {
        return Status(StatusCode::Unauthenticated,
                      "the node has no valid client certificate yet: " + why_none_);
      }
    }
    if (server.tls != server_tls_ || identity_.tls == nullptr) {
      server_tls_ = server.tls;
      http::ClientTls tls = *server.tls;
      tls.certificate_pem = certificate_;
      tls.key_pem = key_.reveal();
      identity_.tls = std::make_shared<const http::ClientTls>(std::move(tls));
      ++identity_.generation;
    }
    return identity_;
  }

  void reject(std::uint64_t generation) override {
    const MutexLock lock(mutex_);
    if (generation != identity_.generation || identity_.tls == nullptr || is_rejected_) {
      return;
    }
    if (clock_->steady_now() < patient_until_) {
      was_refused_young_ = true;  // if it goes on, somebody will be back
      return;
    }
    refused_in_a_row_ = was_refused_young_ ? refused_in_a_row_ + 1 : 0;
    is_rejected_ = true;
    changed_.notify_all();
  }
  // Certificates of which none was ever accepted.
  std::uint32_t refused_in_a_row() {
    const MutexLock lock(mutex_);
    return refused_in_a_row_;
  }

  void set(std::string certificate,
           const Secret& key,
           WallTime expires,
           WallTime renew_at,
           milliseconds patience) {
    const MutexLock lock(mutex_);
    patient_until_ = clock_->steady_now() + patience;
    was_refused_young_ = false;
    certificate_ = std::move(certificate);
    key_ = key;
    expires_ = expires;
    renew_at_ = renew_at;
    is_rejected_ = false;
    identity_.tls = nullptr;
    changed_.notify_all();
  }
  void note(std::string why_none) {
    const MutexLock lock(mutex_);
    why_none_ = std::move(why_none);
  }
  void wake_all() {
    const MutexLock lock(mutex_);
    changed_.notify_all();
  }

  // As whom another certificate is to be asked for now; nobody while there is no need. What the
  // server has refused counts until there is another.
  std::optional<As> need() {
    const MutexLock lock(mutex_);
    if (is_rejected_ || !is_usable()) {
      return As::Bootstrap;
    }
    return clock_->wall_now() >= renew_at_ ? std::optional(As::Node) : std::nullopt;
  }
  // Until something may have changed.
  void wait(milliseconds at_most, const CancelToken& stop) {
    const CancelCallback wake(stop, [this] { wake_all(); });
    const MutexLock lock(mutex_);
    const auto left = std::chrono::ceil<milliseconds>(renew_at_ - clock_->wall_now());
    const SteadyTime until =
        std::chrono::steady_clock::now() + std::clamp(left, milliseconds{0}, at_most);
    while (!stop.is_cancelled() && !is_rejected_ && changed_.wait_until(mutex_, until)) {
    }
  }

 private:
  [[nodiscard]] bool is_usable() const VKHOST_REQUIRES(mutex_) {
    return !certificate_.empty() && clock_->wall_now() < expires_;
  }

  const std::shared_ptr<Credentials> server_;
  const std::shared_ptr<const Clock> clock_;
  Mutex mutex_;
  CondVar changed_;
  std::string certificate_ VKHOST_GUARDED_BY(mutex_);
  Secret key_ VKHOST_GUARDED_BY(mutex_);
  WallTime expires_ VKHOST_GUARDED_BY(mutex_){};
  WallTime renew_at_ VKHOST_GUARDED_BY(mutex_){};
  bool is_rejected_ VKHOST_GUARDED_BY(mutex_) = false;
  SteadyTime patient_until_ VKHOST_GUARDED_BY(mutex_){};
  bool was_refused_young_ VKHOST_GUARDED_BY(mutex_) = false;
  std::uint32_t refused_in_a_row_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::string why_none_ VKHOST_GUARDED_BY(mutex_) = "none was asked for";
  std::shared_ptr<const http::ClientTls> server_tls_ VKHOST_GUARDED_BY(mutex_);
  Identity identity_ VKHOST_GUARDED_BY(mutex_);
};

ClientCertificate::ClientCertificate(ClientCertificateSettings settings,
                                     ClientCertificateParts parts)
    : settings_(std::move(settings)),
      parts_(std::move(parts)),
      holder_(std::make_shared<Holder>(parts_.server, parts_.clock)) {}

ClientCertificate::~ClientCertificate() { stop(); }

std::shared_ptr<Credentials> ClientCertificate::credentials() const { return holder_; }

void ClientCertificate::start() {
  thread_ = Thread("certificate", [this] { run(); });
}

void ClientCertificate::stop() {
  stop_.cancel();
  thread_.join();
}

CallOptions ClientCertificate::call_options() const {
  CallOptions options;
  options.deadline = Deadline::after(*parts_.clock, kCallTimeout);
  options.cancel = stop_.token();
  return options;
}

void ClientCertificate::run() {
  load();
  std::uint32_t failures = 0;
  while (!stop_.is_cancelled()) {
    const std::optional<As> who = holder_->need();
    if (!who) {
      holder_->wait(settings_.look, stop_.token());
      continue;
    }
    const Status renewed = renew(*who);
    if (renewed.is_ok()) {
      failures = 0;
      continue;
    }
    if (stop_.is_cancelled()) {
      return;
    }
    parts_.log.warn(*who == As::Node
                        ? "the node's client certificate could not be renewed, it is tried again"
                        : "the node gets no client certificate yet, it is tried again",
                    {observe::error_field(renewed)});
    holder_->note(renewed.to_string());
    static_cast<void>(stop_.token().wait_for(std::max(
        renewed.retry_after(), backoff_delay(settings_.retry, ++failures, *parts_.random))));
  }
}

void ClientCertificate::load() {
  const auto kept = parts_.store->read(kKeptCertificate);
  const auto pending = parts_.store->read(kPending);
  if (pending.is_ok() && http::public_key_digest(*pending).is_ok()) {
    pending_ = *pending;
  }
  if (kept.status().code() == StatusCode::NotFound) {
    return;
  }
  const auto usable = kept.is_ok() ? check(kept->reveal(), *kept) : kept.status();
  if (!usable.is_ok()) {
    parts_.log.warn("the node's client certificate of last time is of no use, another is asked for",
                    {observe::error_field(usable.status())});
    return;
  }
  if (pending_ &&
      http::public_key_digest(*pending_).value() == http::public_key_digest(*kept).value()) {
    drop_pending_key();  // the last life ended before it could
  }
  const std::string certificate = kept->reveal().substr(0, kept->reveal().find(kKeyBegins));
  install(certificate, *kept, *usable, usable->not_before);
}

Result<http::CertificateFacts> ClientCertificate::check(std::string_view certificate,
                                                        const Secret& key) const {
  VKHOST_TRY_ASSIGN(http::CertificateFacts facts, http::read_certificate_facts(certificate));
  VKHOST_TRY(http::check_key_of_certificate(certificate, key));
  const std::string wanted = "system:node:" + settings_.node_name;
  const auto& groups = facts.subject.organizations;
  if (facts.subject.common_name != wanted ||
      std::find(groups.begin(), groups.end(), kNodesGroup) == groups.end()) {
    return failed_precondition("it is that of " + facts.subject.common_name + ", not of " + wanted);
  }
  if (facts.not_after <= parts_.clock->wall_now()) {
    return failed_precondition("it expired at " + format_time(facts.not_after));
  }
  return facts;
}

void ClientCertificate::install(std::string certificate,
                                const Secret& key,
                                const http::CertificateFacts& facts,
                                WallTime from) {
  const double part = kRenewFrom + (kRenewUntil - kRenewFrom) * parts_.random->next();
  const WallTime renew_at =
      from + std::chrono::duration_cast<WallTime::duration>((facts.not_after - from) * part);
  holder_->set(std::move(certificate), key, facts.not_after, renew_at,
               backoff_delay(settings_.patience, holder_->refused_in_a_row() + 1, *parts_.random));
  parts_.log.info("the node has a client certificate", {{"user", facts.subject.common_name},
                                                        {"expires", format_time(facts.not_after)},
                                                        {"renewed_after", format_time(renew_at)}});
}

Result<Secret> ClientCertificate::pending_key() {
  if (!pending_) {
    VKHOST_TRY_ASSIGN(pending_, http::make_private_key());
    if (const Status kept = parts_.store->write(kPending, *pending_); !kept.is_ok()) {
      parts_.log.warn(
          "the key of a certificate request cannot be kept; after a restart there is another",
          {observe::error_field(kept)});
    }
  }
  return *pending_;
}

void ClientCertificate::drop_pending_key() {
  pending_.reset();
  if (const Status dropped = parts_.store->write(kPending, Secret()); !dropped.is_ok()) {
    parts_.log.warn("the key of a finished certificate request cannot be dropped",
                    {observe::error_field(dropped)});
  }
}

Status ClientCertificate::renew(As who) {
  VKHOST_TRY_ASSIGN(const Secret key, pending_key());
  const std::unique_ptr<Client> client = parts_.make_client(
      who == As::Node ? std::shared_ptr<Credentials>(holder_) : parts_.bootstrap);
  VKHOST_TRY_ASSIGN(const std::string certificate, request(*client, key));
  return accept(certificate, key);
}

Result<std::string> ClientCertificate::request(Client& client, const Secret& key) {
  VKHOST_TRY_ASSIGN(const std::string digest, http::public_key_digest(key));
  VKHOST_TRY_ASSIGN(const std::string pem,
                    http::make_certificate_request(
                        key, {"system:node:" + settings_.node_name, {std::string(kNodesGroup)}}));
  const std::string name = "node-csr-" + digest;
  CallOptions options = call_options();
  options.repeatable = true;  // there can be only one of that name
  const Status created =
      client.create(certificate_requests_path(), request_body(name, pem), options).status();
  if (!created.is_ok() && created.code() != StatusCode::AlreadyExists) {
    return created.while_doing("asking for a client certificate");
  }
  parts_.log.info("a client certificate was asked for",
                  {{"certificate_signing_request", name}, {"node", settings_.node_name}});
  holder_->note("CertificateSigningRequest " + name + " waits to be approved and signed");
  return wait_for_issue(client, name);
}

Result<std::string> ClientCertificate::wait_for_issue(Client& client, const std::string& name) {
  const SteadyTime reminder = parts_.clock->steady_now() + settings_.reminder;
  for (std::uint32_t looks = 1;; ++looks) {
    auto answer = client.get(certificate_request_path(name), {}, call_options());
    if (!answer.is_ok()) {
      return answer.status().while_doing("looking at certificate request " + name);
    }
    Issue issue;
    if (const Status readable = read_issue(*answer, issue); !readable.is_ok()) {
      return unavailable(readable.message()).while_doing("reading certificate request " + name);
    }
    if (!issue.refusal.empty()) {
      return refused("certificate request " + name + " is " + issue.refusal);
    }
    if (!issue.certificate_pem.empty()) {
      return std::move(issue.certificate_pem);
    }
    if (parts_.clock->steady_now() >= reminder) {
      return deadline_exceeded("certificate request " + name +
                               " waits to be approved and signed; approve it with: kubectl "
                               "certificate approve " +
                               name);
    }
    if (stop_.token().wait_for(backoff_delay(settings_.poll, looks, *parts_.random))) {
      return cancelled("stopped while waiting for a client certificate");
    }
  }
}

Status ClientCertificate::refused(std::string message) {
  drop_pending_key();  // the next request is another one
  return failed_precondition(std::move(message)).with_retry(Retry::After, settings_.after_refusal);
}

Status ClientCertificate::accept(const std::string& certificate, const Secret& key) {
  const auto usable = check(certificate, key);
  if (!usable.is_ok()) {
    return refused("the cluster issued a client certificate that is of no use: " +
                   usable.status().message());
  }
  const std::string separator = certificate.ends_with('\n') ? "" : "\n";
  const Status kept =
      parts_.store->write(kKeptCertificate, Secret(certificate + separator + key.reveal()));
  if (kept.is_ok()) {
    drop_pending_key();
  } else {
    // Better to work without a copy than not at all. The next start asks with the key that the store
    // has, but this life with another one: the answer to this one is there already.
    pending_.reset();
    parts_.log.warn("the node's client certificate cannot be kept", {observe::error_field(kept)});
  }
  // Signers date certificates back, so what is left counts, not what it was good for altogether.
  install(certificate, key, *usable, std::max(parts_.clock->wall_now(), usable->not_before));
  return Status::ok();
}

}  // namespace vkhost::kube
