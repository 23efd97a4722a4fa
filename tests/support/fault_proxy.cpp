#include "support/fault_proxy.hpp"

#include "base/thread.hpp"
#include "support/certificates.hpp"
#include "support/proxy_connection.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <list>
#include <utility>
#include <vector>

namespace vkhost::testing {

// Accepts connections and keeps their threads; `mutex_` guards the list, no I/O happens under it.
class FaultProxy::Engine {
 public:
  explicit Engine(const FaultProxySettings& settings)
      : control(settings.seed),
        listener(listen_without_blocking()),
        server_(TlsContext::server(issue_for_loopback(ca))),
        client_(TlsContext::client(settings.upstream_ca_pem)),
        upstream_port_(settings.upstream_port),
        accept_thread_("proxy-accept", [this] { accept_connections(); }),
        cutting_thread_("proxy-cut", [this] { cut_again_and_again(); }) {}

  ~Engine() {
    stop_accepting_.raise();
    accept_thread_.join();
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    period_changed_.notify_all();
    cutting_thread_.join();
    cut(&any, Ending::Abrupt);
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  static bool any(const ProxyConnection& connection) { return !connection.finished(); }
  static bool watch(const ProxyConnection& connection) { return connection.watching(); }

  void wake_all() {
    for (const auto& connection : all(&any)) {
      connection->wake();
    }
  }

  void cut(bool (*which)(const ProxyConnection&), Ending ending) {
    const auto connections = all(which);
    for (const auto& connection : connections) {
      connection->cut(ending);
    }
    for (const auto& connection : connections) {
      connection->wait_until_finished();
    }
  }

  std::size_t expire_watches() {
    std::size_t expired = 0;
    const auto connections = all(&watch);
    for (const auto& connection : connections) {
      expired += connection->expire_watch() ? 1U : 0U;
    }
    for (const auto& connection : connections) {
      connection->wait_until_not_watching();
    }
    return expired;
  }

  void set_cutting(std::chrono::milliseconds period, Ending ending) {
    {
      const MutexLock lock(mutex_);
      cutting_period_ = period;
      cutting_ending_ = ending;
    }
    period_changed_.notify_all();
  }

  // A listening socket that is shut down refuses connections and keeps its port.
  void set_listening(bool listening) {
    if (listening) {
      ::listen(listener.socket.get(), SOMAXCONN);
    } else {
      ::shutdown(listener.socket.get(), SHUT_RDWR);
    }
    listening_changed_.raise();
  }

  CertificateAuthority ca{"fault-proxy-ca"};
  ProxyControl control;
  Listener listener;

 private:
  struct Running {
    std::shared_ptr<ProxyConnection> connection;
    Thread thread;
  };

  std::vector<std::shared_ptr<ProxyConnection>> all(bool (*which)(const ProxyConnection&)) {
    const MutexLock lock(mutex_);
    std::vector<std::shared_ptr<ProxyConnection>> chosen;
    for (const auto& running : running_) {
      if (which(*running.connection)) {
        chosen.push_back(running.connection);
      }
    }
    return chosen;
  }

  void accept_connections() {
    for (;;) {
      std::array<pollfd, 3> polled{{{listener.socket.get(), POLLIN, 0},
                                    {stop_accepting_.get(), POLLIN, 0},
                                    {listening_changed_.get(), POLLIN, 0}}};
      // A socket that does not listen always reports a hang-up: then only the others are waited for.
      pollfd* const first = is_listening() ? polled.data() : &polled[1];
      ::poll(first, first == polled.data() ? 3 : 2, -1);
      if (polled[1].revents != 0) {
        return;
      }
      listening_changed_.lower();
      accept_connection();
    }
  }

  [[nodiscard]] bool is_listening() const {
    int listening = 0;
    socklen_t length = sizeof listening;
    return ::getsockopt(listener.socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) ==
               0 &&
           listening != 0;
  }

  void accept_connection() {
    std::list<Running> finished;  // joined outside the lock
    {
      // Under the lock, so that cut_all() misses none between accept and the list; never waits.
      const MutexLock lock(mutex_);
      Descriptor socket(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (socket.get() < 0) {
        return;
      }
      auto connection = std::make_shared<ProxyConnection>(control, server_, client_, upstream_port_,
                                                          std::move(socket));
      for (auto each = running_.begin(); each != running_.end();) {
        const auto next = std::next(each);
        if (each->connection->finished()) {
          finished.splice(finished.end(), running_, each);
        }
        each = next;
      }
      running_.push_back({connection, Thread("proxy-conn", [connection] { connection->run(); })});
    }
  }

  void cut_again_and_again() {
    for (;;) {
      Ending ending{};
      {
        const MutexLock lock(mutex_);
        const auto period = cutting_period_;
        const SteadyTime until = std::chrono::steady_clock::now() + period;
        while (!stopping_ && cutting_period_ == period &&
               (period.count() == 0 || std::chrono::steady_clock::now() < until)) {
          if (period.count() == 0) {
            period_changed_.wait(mutex_);
          } else {
            static_cast<void>(period_changed_.wait_until(mutex_, until));
          }
        }
        if (stopping_) {
          return;
        }
        if (cutting_period_ != period) {
          continue;
        }
        ending = cutting_ending_;
      }
      cut(&watch, ending);
    }
  }

  TlsContext server_;
  TlsContext client_;
  int upstream_port_;
  WakeFd stop_accepting_;
  WakeFd listening_changed_;
  Mutex mutex_;
  CondVar period_changed_;
  std::list<Running> running_ VKHOST_GUARDED_BY(mutex_);
  std::chrono::milliseconds cutting_period_ VKHOST_GUARDED_BY(mutex_){0};
  Ending cutting_ending_ VKHOST_GUARDED_BY(mutex_) = Ending::Abrupt;
  bool stopping_ VKHOST_GUARDED_BY(mutex_) = false;
  Thread accept_thread_;  // last: they use everything above
  Thread cutting_thread_;
};

FaultProxy::FaultProxy(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
FaultProxy::~FaultProxy() = default;

std::unique_ptr<FaultProxy> FaultProxy::start(const FaultProxySettings& settings) {
  return std::unique_ptr<FaultProxy>(new FaultProxy(std::make_unique<Engine>(settings)));
}

int FaultProxy::port() const { return engine_->listener.port; }
std::string FaultProxy::url() const { return "https://127.0.0.1:" + std::to_string(port()); }
const std::string& FaultProxy::ca_pem() const { return engine_->ca.certificate_pem(); }
Traffic& FaultProxy::traffic() { return engine_->control.traffic; }

FaultId FaultProxy::answer(int status, When when) {
  return engine_->control.add(
      {.kind = FaultKind::Answer, .when = std::move(when), .status = status});
}

FaultId FaultProxy::expire_new_watches(Expiry expiry, When when) {
  when.requests = Requests::Watches;
  return engine_->control.add(
      {.kind = FaultKind::Expire, .when = std::move(when), .expiry = expiry});
}

FaultId FaultProxy::delay(std::chrono::milliseconds time, When when) {
  return engine_->control.add({.kind = FaultKind::Delay, .when = std::move(when), .time = time});
}

FaultId FaultProxy::stall(When when) {
  return engine_->control.add({.kind = FaultKind::Stall, .when = std::move(when)});
}

FaultId FaultProxy::stall_answers(When when) {
  return engine_->control.add({.kind = FaultKind::StallAfter, .when = std::move(when)});
}

FaultId FaultProxy::cut_before(When when, Ending ending) {
  return engine_->control.add(
      {.kind = FaultKind::CutBefore, .when = std::move(when), .ending = ending});
}

FaultId FaultProxy::cut_after(When when, Ending ending) {
  return engine_->control.add(
      {.kind = FaultKind::CutAfter, .when = std::move(when), .ending = ending});
}

FaultId FaultProxy::hang_up(When when, Ending ending) {
  return engine_->control.add(
      {.kind = FaultKind::HangUp, .when = std::move(when), .ending = ending});
}

FaultId FaultProxy::half_body(When when, Ending ending) {
  return engine_->control.add(
      {.kind = FaultKind::HalfBody, .when = std::move(when), .ending = ending});
}

FaultId FaultProxy::trickle(std::size_t bytes, std::chrono::milliseconds each, When when) {
  return engine_->control.add(
      {.kind = FaultKind::Trickle, .when = std::move(when), .time = each, .bytes = bytes});
}

FaultId FaultProxy::replace(std::string text, std::string replacement, When when) {
  return engine_->control.add({.kind = FaultKind::Replace,
                               .when = std::move(when),
                               .text = std::move(text),
                               .replacement = std::move(replacement)});
}

void FaultProxy::take_back(FaultId fault) {
  engine_->control.remove(fault);
  engine_->wake_all();
}

void FaultProxy::clear() {
  engine_->control.clear();
  engine_->set_cutting(std::chrono::milliseconds{0}, Ending::Abrupt);
  engine_->set_listening(true);
  thaw();
}

void FaultProxy::cut_watches(Ending ending) { engine_->cut(&Engine::watch, ending); }
void FaultProxy::cut_all(Ending ending) { engine_->cut(&Engine::any, ending); }

void FaultProxy::cut_watches_every(std::chrono::milliseconds period, Ending ending) {
  engine_->set_cutting(period, ending);
}

std::size_t FaultProxy::expire_open_watches() { return engine_->expire_watches(); }

void FaultProxy::freeze() {
  engine_->control.set_frozen(true);
  engine_->wake_all();
}

void FaultProxy::thaw() {
  engine_->control.set_frozen(false);
  engine_->wake_all();
}

void FaultProxy::go_down() {
  engine_->set_listening(false);
  cut_all(Ending::Abrupt);
}

void FaultProxy::come_back() { engine_->set_listening(true); }

}  // namespace vkhost::testing
