// FaultProxy: stands between a client (the daemon) and a real API server on loopback and gives it the
// bad days that a real one has, by name.
//
// It ends TLS on both sides, so the client trusts ca_pem() and identifies itself by token; HTTP/1.1
// only. Requests are read whole and passed on unchanged, one upstream connection for each client
// connection; answers are passed on as they arrive, unless something is to be replaced in them. Faults take hold with the next request, cuts at
// once. All verbs may be called at any time from any thread; each returns when it is in force. The
// destructor cuts everything and joins every thread. start() throws std::runtime_error.
#pragma once

#include "base/mutex.hpp"
#include "support/fault_rules.hpp"
#include "support/traffic.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace vkhost::testing {

struct FaultProxySettings {
  int upstream_port = 0;  // on 127.0.0.1
  std::string upstream_ca_pem = {};
  std::uint64_t seed = 1;  // of the faults that strike a percentage
};

class FaultProxy {
 public:
  static std::unique_ptr<FaultProxy> start(const FaultProxySettings& settings);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  [[nodiscard]] int port() const;
  [[nodiscard]] std::string url() const;
  [[nodiscard]] const std::string& ca_pem() const;
  [[nodiscard]] Traffic& traffic();

  // ---- faults that stay until clear(), take_back() or `times`

  // The proxy answers by itself, with a metav1.Status as body.
  FaultId answer(int status, When when = {});
  // Watches are told 410 when they begin.
  FaultId expire_new_watches(Expiry expiry, When when = {});
  FaultId delay(std::chrono::milliseconds time, When when = {});
  // Held before the API server sees it, until taken back.
  FaultId stall(When when = {});
  // Held when the API server has done it: its answer waits until taken back.
  FaultId stall_answers(When when = {});
  // The connection ends before the API server saw the request, or after it acted on it.
  FaultId cut_before(When when = {}, Ending ending = Ending::Abrupt);
  FaultId cut_after(When when = {}, Ending ending = Ending::Abrupt);
  // The connection ends after the answer, without having announced it.
  FaultId hang_up(When when = {}, Ending ending = Ending::Orderly);
  FaultId half_body(When when = {}, Ending ending = Ending::Orderly);
  FaultId trickle(std::size_t bytes, std::chrono::milliseconds each, When when = {});
  // In bodies of answers, but not of watches, one text stands for another.
  FaultId replace(std::string text, std::string replacement, When when = {});
  void take_back(FaultId fault);
  // Takes back every fault, thaws, listens again, stops cut_watches_every().
  void clear();

  // ---- what happens now

  void cut_watches(Ending ending = Ending::Abrupt);
  void cut_all(Ending ending = Ending::Abrupt);
  // Again and again; zero stops it.
  void cut_watches_every(std::chrono::milliseconds period, Ending ending = Ending::Abrupt);
  // Open watches get an ERROR event (410) and end. How many that were is returned.
  std::size_t expire_open_watches();

  // No byte passes in any direction, nothing is closed: a network that swallows packets.
  void freeze();
  void thaw();
  // Connections are cut and new ones refused, at the same port: an API server that is down.
  void go_down();
  void come_back();

 private:
  class Engine;
  explicit FaultProxy(std::unique_ptr<Engine> engine);

  std::unique_ptr<Engine> engine_;
};

}  // namespace vkhost::testing
