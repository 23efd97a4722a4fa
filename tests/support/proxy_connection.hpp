// ProxyConnection: one client connection of the fault proxy, on a thread of its own.
//
// The thread owns both sockets. Others only leave a command and raise the eventfd that every wait of
// the thread also watches. ProxyControl is what all connections of one proxy share.
#pragma once

#include "base/mutex.hpp"
#include "support/fault_rules.hpp"
#include "support/http_wire.hpp"
#include "support/tls_stream.hpp"
#include "support/traffic.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost::testing {

// [any-thread]
class ProxyControl {
 public:
  explicit ProxyControl(std::uint64_t seed) : rules_(seed) {}

  Traffic traffic;

  FaultId add(Fault fault);
  void remove(FaultId id);
  void clear();
  [[nodiscard]] bool holds(FaultId id) const;
  [[nodiscard]] Decision decide(const ApiRequest& request);
  void set_frozen(bool frozen) { frozen_ = frozen; }
  [[nodiscard]] bool frozen() const { return frozen_; }

 private:
  mutable Mutex mutex_;
  FaultRules rules_ VKHOST_GUARDED_BY(mutex_);
  std::atomic<bool> frozen_{false};
};

class ProxyConnection {
 public:
  ProxyConnection(ProxyControl& control,
                  const TlsContext& server,
                  const TlsContext& client,
                  int upstream_port,
                  Descriptor socket);

  // The whole life of the connection.
  void run();

  // ---- from other threads
  void cut(Ending ending);
  // Ends an open watch with 410; false when there is none.
  bool expire_watch();
  [[nodiscard]] bool watching() const { return watching_; }
  [[nodiscard]] bool finished() const;
  // Until the thread is about to return, or the watch is over; at most some seconds. [may-block]
  void wait_until_finished() const;
  void wait_until_not_watching() const;
  // Look again at the faults.
  void wake() const { wake_.raise(); }

 private:
  struct Exchange;
  enum class Next { Continue, Close };

  void serve_requests();
  void set_watching(bool watching);

  [[nodiscard]] bool read_request(Exchange& exchange);
  [[nodiscard]] Next serve(Exchange& exchange);
  [[nodiscard]] std::optional<Next> meet_fault_before(Exchange& exchange);
  [[nodiscard]] Next answer(Exchange& exchange, int status, int retry_after_s);
  [[nodiscard]] Next answer_expired_watch(Exchange& exchange);
  [[nodiscard]] bool forward(Exchange& exchange);
  [[nodiscard]] bool try_forward(Exchange& exchange, bool* fresh);
  [[nodiscard]] Next pass_answer(Exchange& exchange);
  [[nodiscard]] Next pass_half(Exchange& exchange, Ending ending);
  [[nodiscard]] Next pass_replaced(Exchange& exchange, const Fault& replace);
  [[nodiscard]] Next pass_stream(Exchange& exchange);
  [[nodiscard]] bool put_expiry_into_watch();

  [[nodiscard]] bool send(std::string_view bytes);
  [[nodiscard]] bool send_slowly(std::string_view bytes, const Fault& trickle);
  [[nodiscard]] bool send_answer(Exchange& exchange, std::string_view bytes);
  // Retries `operation` over wake-ups that don't concern it.
  template <typename Operation>
  [[nodiscard]] Io persist(Operation operation);
  [[nodiscard]] bool pause(std::chrono::milliseconds time);
  [[nodiscard]] bool wait_until_taken_back(FaultId fault);
  // Handles what others asked for; false when the connection has to end.
  [[nodiscard]] bool go_on();
  [[nodiscard]] Next close_with(Ending ending);
  [[nodiscard]] Wait wait() const { return {.until = SteadyTime::max(), .wake_fd = wake_.get()}; }

  ProxyControl& control_;
  const TlsContext& client_context_;
  const int upstream_port_;
  WakeFd wake_;
  std::unique_ptr<TlsStream> client_;
  std::unique_ptr<TlsStream> upstream_;
  MessageReader from_client_;
  MessageReader from_upstream_;

  std::atomic<bool> watching_{false};
  std::atomic<bool> expire_{false};
  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::optional<Ending> cut_ VKHOST_GUARDED_BY(mutex_);
  bool finished_ VKHOST_GUARDED_BY(mutex_) = false;
};

}  // namespace vkhost::testing
