#include "http/socket_exceptions.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace vkhost::http {
namespace {

struct RaisedCase {
  std::string name;
  std::function<void()> raise;
  StatusCode code;
};

TEST(SocketExceptions, BecomeTheStatusThatCallersBranchOn) {
  const std::vector<RaisedCase> cases = {
      {"deadline", [] { throw DeadlineException("x"); }, StatusCode::DeadlineExceeded},
      {"cancelled", [] { throw CancelledException("x"); }, StatusCode::Cancelled},
      {"certificate", [] { throw PeerCertificateException("x"); }, StatusCode::Unauthenticated},
      {"tls", [] { throw TlsException("x"); }, StatusCode::Unavailable},
      {"truncated", [] { throw TruncatedException("x"); }, StatusCode::Unavailable},
      {"too large", [] { throw TooLargeException("x"); }, StatusCode::ResourceExhausted},
      {"kernel timeout", [] { throw Poco::TimeoutException("x"); }, StatusCode::Unavailable},
      {"reset", [] { throw Poco::Net::ConnectionResetException("x"); }, StatusCode::Unavailable},
      {"refused", [] { throw Poco::Net::ConnectionRefusedException("x"); },
       StatusCode::Unavailable},
      {"no such host", [] { throw Poco::Net::HostNotFoundException("x"); },
       StatusCode::Unavailable},
      {"malformed answer", [] { throw Poco::Net::MessageException("x"); }, StatusCode::Unavailable},
      {"plain I/O", [] { throw Poco::IOException("x"); }, StatusCode::Unavailable},
      {"argument", [] { throw Poco::InvalidArgumentException("x"); }, StatusCode::InvalidArgument},
      {"syntax", [] { throw Poco::SyntaxException("x"); }, StatusCode::InvalidArgument},
      {"other Poco", [] { throw Poco::BugcheckException("x"); }, StatusCode::Internal},
      {"memory", [] { throw std::bad_alloc(); }, StatusCode::ResourceExhausted},
      {"standard", [] { throw std::runtime_error("x"); }, StatusCode::Internal},
      {"foreign", [] { throw 1; }, StatusCode::Internal},
  };

  for (const RaisedCase& c : cases) {
    try {
      c.raise();
    } catch (...) {
      EXPECT_EQ(status_of_current_exception().code(), c.code) << c.name;
    }
  }
}

TEST(SocketExceptions, KeepTheTextOfTheOrigin) {
  const Status status = status_of(TlsException("wrong version number"));

  EXPECT_EQ(status.message(), "TLS: wrong version number");
}

TEST(SocketExceptions, KeepTheirClassWhenClonedAndRethrown) {
  const std::unique_ptr<Poco::Exception> copy(DeadlineException("x").clone());

  EXPECT_THROW(copy->rethrow(), DeadlineException);
}

}  // namespace
}  // namespace vkhost::http
