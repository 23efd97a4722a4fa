#include "http/socket_exceptions.hpp"

#include <new>
#include <string>
#include <typeinfo>

namespace vkhost::http {

POCO_IMPLEMENT_EXCEPTION(DeadlineException, Poco::TimeoutException, "deadline exceeded")
POCO_IMPLEMENT_EXCEPTION(CancelledException, Poco::RuntimeException, "cancelled")
POCO_IMPLEMENT_EXCEPTION(TlsException, Poco::Net::NetException, "TLS")
POCO_IMPLEMENT_EXCEPTION(PeerCertificateException, TlsException, "certificate of the other side")
POCO_IMPLEMENT_EXCEPTION(TruncatedException, Poco::Net::NetException, "connection closed early")
POCO_IMPLEMENT_EXCEPTION(TooLargeException, Poco::RuntimeException, "message too large")

namespace {

StatusCode code_of(const Poco::Exception& error) {
  // The order matters: a class stands before the class it is derived from.
  if (dynamic_cast<const DeadlineException*>(&error) != nullptr) {
    return StatusCode::DeadlineExceeded;
  }
  if (dynamic_cast<const CancelledException*>(&error) != nullptr) {
    return StatusCode::Cancelled;
  }
  if (dynamic_cast<const PeerCertificateException*>(&error) != nullptr) {
    return StatusCode::Unauthenticated;
  }
  if (dynamic_cast<const TooLargeException*>(&error) != nullptr) {
    return StatusCode::ResourceExhausted;
  }
  if (dynamic_cast<const Poco::Net::NetException*>(&error) != nullptr ||
      dynamic_cast<const Poco::TimeoutException*>(&error) != nullptr) {
    return StatusCode::Unavailable;
  }
  if (dynamic_cast<const Poco::InvalidArgumentException*>(&error) != nullptr ||
      dynamic_cast<const Poco::SyntaxException*>(&error) != nullptr) {
    return StatusCode::InvalidArgument;
  }
  // Poco reports many errors of a socket (EPIPE, EIO) as plain I/O errors.
  if (dynamic_cast<const Poco::IOException*>(&error) != nullptr) {
    return StatusCode::Unavailable;
  }
  return StatusCode::Internal;
}

}  // namespace

Status status_of(const Poco::Exception& error) { return {code_of(error), error.displayText()}; }

Status status_of_current_exception() {
  try {
    throw;
  } catch (const Poco::Exception& error) {
    return status_of(error);
  } catch (const std::bad_alloc&) {
    return {StatusCode::ResourceExhausted, "out of memory"};
  } catch (const std::exception& error) {
    return internal_error(error.what());
  } catch (...) {
    return internal_error("an exception that is no std::exception");
  }
}

}  // namespace vkhost::http
