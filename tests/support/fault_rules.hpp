// FaultRules: which requests meet which faults. The deciding half of the fault proxy: no sockets, no
// time, random numbers from a seed only. Not synchronised; the proxy guards it with its mutex.
#pragma once

#include "support/api_request.hpp"
#include "support/tls_stream.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace vkhost::testing {

enum class Requests { All, Watches, Others };

// The requests a fault is for: all conditions hold. Default: every one.
struct When {
  std::string method = {};  // "PATCH"; empty: any
  std::string label = {};   // "patch pods/status", see ApiRequest; empty: any
  std::string path = {};    // a part of path and query; empty: any
  Requests requests = Requests::All;
  int percent = 100;      // of those that match
  int times = 0;          // ends after that many; 0: until cleared
  int retry_after_s = 0;  // only for answers: the header Retry-After, when positive
};

// A watch learns in two ways that its resource version is too old.
enum class Expiry { Answer, Event };

enum class FaultKind {
  Answer,      // answered by the proxy with `status`
  Expire,      // 410: by status, or by an ERROR event in a stream
  Delay,       // passed on after `time`
  Stall,       // held until the fault is taken back; then passed on
  CutBefore,   // the connection ends, the API server never sees the request
  CutAfter,    // the API server does it, the answer is lost
  HalfBody,    // the connection ends in the middle of the body
  HangUp,      // the connection ends after the answer, which does not announce it
  StallAfter,  // the API server does it, the answer is held until the fault is taken back
  Trickle,     // the answer arrives as `bytes` each `time`
  Replace,     // `text` stands in the answer as `replacement`; not in watches
};

using FaultId = std::uint64_t;

struct Fault {
  FaultKind kind = FaultKind::Answer;
  When when = {};
  int status = 0;
  Expiry expiry = Expiry::Event;
  std::chrono::milliseconds time{0};
  std::size_t bytes = 0;
  Ending ending = Ending::Abrupt;
  FaultId id = 0;
  std::string text = {};
  std::string replacement = {};
};

// What happens to one request: at most one fault of each kind, the one added first.
class Decision {
 public:
  void add(const Fault& fault);
  [[nodiscard]] const Fault* find(FaultKind kind) const;

 private:
  std::vector<Fault> faults_;
};

class FaultRules {
 public:
  explicit FaultRules(std::uint64_t seed) : random_(seed) {}

  FaultId add(Fault fault);
  void remove(FaultId id);
  void clear() { faults_.clear(); }
  [[nodiscard]] bool holds(FaultId id) const;
  [[nodiscard]] Decision decide(const ApiRequest& request);

 private:
  struct Armed {
    Fault fault;
    int left = 0;  // 0: for ever
  };
  [[nodiscard]] bool strikes(const When& when, const ApiRequest& request);

  std::vector<Armed> faults_;
  FaultId last_id_ = 0;
  std::mt19937_64 random_;
};

}  // namespace vkhost::testing
