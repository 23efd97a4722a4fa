// What our sockets throw beside Poco's own exceptions, and the one place that turns any exception
// of this room into a Status. The classes carry what a caller has to tell apart: our deadline (not
// the kernel's), our cancellation, a certificate that was not accepted, and other TLS trouble.
// [any-thread] [no-block]
#pragma once

#include "base/status.hpp"

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>

#include <exception>

namespace vkhost::http {

// NOLINTBEGIN(google-explicit-constructor): Poco's macro writes the constructors
POCO_DECLARE_EXCEPTION(, DeadlineException, Poco::TimeoutException)
POCO_DECLARE_EXCEPTION(, CancelledException, Poco::RuntimeException)
POCO_DECLARE_EXCEPTION(, TlsException, Poco::Net::NetException)
POCO_DECLARE_EXCEPTION(, PeerCertificateException, TlsException)
POCO_DECLARE_EXCEPTION(, TruncatedException, Poco::Net::NetException)
POCO_DECLARE_EXCEPTION(, TooLargeException, Poco::RuntimeException)
// NOLINTEND(google-explicit-constructor)

// UNAVAILABLE unless the exception is one of the above, speaks of bad input, or is no exception of
// the network at all (INTERNAL).
[[nodiscard]] Status status_of(const Poco::Exception& error);
// For `catch (...)`: of the exception that is being handled now.
[[nodiscard]] Status status_of_current_exception();

}  // namespace vkhost::http
