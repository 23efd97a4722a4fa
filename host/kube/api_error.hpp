// Error answers of the API server as Status, and which failures a client repeats by itself.
//
// Pure functions, used by the client alone. [any-thread] [no-block]
#pragma once

#include "base/backoff.hpp"
#include "base/status.hpp"
#include "http/client.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace vkhost::kube {

// Repeatable: a write that may be sent again when it is unknown whether it took effect.
enum class Access { Read, Repeatable, Write };

// The Status for an answer outside 2xx; codes as in client.hpp, the reason is that of the answer's
// metav1.Status. A 404 that carries none is UNAVAILABLE: it comes from something between us and the
// API server, and must not be taken for "this pod is gone".
[[nodiscard]] Status api_error(const http::Response& answer, Access access);
// The same from a metav1.Status object, as an ERROR event of a watch carries it.
[[nodiscard]] Status api_error_from_object(std::string_view object);

// After `tries` tries of which the last ended with `failure`: how long to wait before the next one;
// nothing when repeating it is unsafe or pointless.
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_delay(const Status& failure,
                                                                   Access access,
                                                                   std::uint32_t tries,
                                                                   std::uint32_t max_tries,
                                                                   const BackoffLimits& limits,
                                                                   Random& random);

}  // namespace vkhost::kube
