#include "base/thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

namespace vkhost {
namespace {

void run_fenced(const std::string& name, const std::function<void()>& body) {
  try {
    body();
    return;
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "vkhost: thread %s ended by an exception: %s\n",
                                   name.c_str(), error.what()));
  }
  std::abort();
}

}  // namespace

Thread::Thread(std::string name, std::function<void()> body) {
  // The signal mask is inherited, so it is set around the creation: there is no instant at which
  // the new thread could be picked for SIGTERM.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  for (const int synchronous :
       {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGPROF}) {
    sigdelset(&all, synchronous);
  }
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([name = std::move(name), body = std::move(body)] {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    run_fenced(name, body);
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Thread::~Thread() { join(); }

Thread& Thread::operator=(Thread&& other) noexcept {
  join();
  thread_ = std::move(other.thread_);
  return *this;
}

void Thread::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace vkhost
