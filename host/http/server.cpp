#include "http/server.hpp"

#include "base/cancel.hpp"
#include "base/mutex.hpp"
#include "base/thread.hpp"
#include "http/listener.hpp"
#include "http/server_connection.hpp"
#include "http/stream_connection.hpp"
#include "http/tls_socket.hpp"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <deque>
#include <limits>
#include <map>
#include <utility>
#include <vector>

namespace vkhost::http {
namespace {

constexpr std::chrono::milliseconds kAcceptPause{100};  // while there are no descriptors left
constexpr std::size_t kAcceptsAtOnce = 64;
constexpr std::size_t kToldSo = 64;  // connections above the limit that still hear why

using Next = ServerConnection::Next;

class SocketServer final : public Server {
 public:
  SocketServer(ServerSettings settings,
               std::shared_ptr<Handler> handler,
               std::shared_ptr<const Clock> clock,
               observe::Logger log,
               WakeUp wake_up)
      : settings_(std::move(settings)),
        handler_(std::move(handler)),
        clock_(std::move(clock)),
        log_(std::move(log)),
        wake_up_(std::move(wake_up)),
        loop_(settings_.name + "-io", [this] { run(); }) {}
  ~SocketServer() override { stop_now(); }

  Result<int> listen(const Listen& listen) override;
  void unlisten(int port) override;
  void stop() override { stop_now(); }
  [[nodiscard]] Counts counts() const override;

 private:
  struct Listening {
    BoundListener bound;
    Listen settings;
  };
  struct Client {
    std::unique_ptr<ServerConnection> connection;
    std::unique_ptr<CancelSource> request;  // while one is handled
    bool left = false;                      // the client closed meanwhile
    bool again = false;
  };
  struct Job {
    std::uint64_t client = 0;
    ServerRequest request;
  };
  struct Stream {
    SocketPtr socket;
    std::unique_ptr<CancelSource> source;
    Thread thread;
  };
  // What other threads leave for the loop.
  struct Inbox {
    std::vector<Listening> listeners;
    std::vector<int> closed_ports;
    std::vector<std::pair<std::uint64_t, Reply>> replies;
    std::vector<std::uint64_t> ended_streams;
    bool stop = false;
  };

  void stop_now();
  void run();
  bool take_inbox();
  void wait();
  void serve_ready();
  void accept_from(const Listening& listening);
  void add_client(const Listening& listening, Accepted accepted);
  void proceed(std::uint64_t id, Client& client, Next next);
  bool is_full();
  void hand_over(std::uint64_t id, Client& client);
  void take_reply(std::uint64_t id, Reply reply);
  void start_stream(std::uint64_t id, Client& client, Reply reply);
  void run_stream(StreamConnection& connection, const Reply& reply);
  void work();
  Reply handle(const ServerRequest& request);

  const ServerSettings settings_;
  const std::shared_ptr<Handler> handler_;
  const std::shared_ptr<const Clock> clock_;
  const observe::Logger log_;
  const WakeUp wake_up_;
  CancelSource stop_source_;

  // Of the loop's thread, and of stop_now() after it.
  std::vector<Listening> listeners_;
  std::map<std::uint64_t, Client> clients_;
  std::map<std::uint64_t, Stream> streams_;
  std::vector<Thread> workers_;
  std::uint64_t last_id_ = 0;
  std::vector<pollfd> polled_;
  std::vector<std::uint64_t> polled_clients_;  // behind the eventfd and the listeners
  SteadyTime accept_again_ = SteadyTime::min();

  Mutex mutex_;
  CondVar job_arrived_;
  CondVar stopped_;
  Inbox inbox_ VKHOST_GUARDED_BY(mutex_);
  std::deque<Job> jobs_ VKHOST_GUARDED_BY(mutex_);
  std::size_t idle_workers_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::size_t running_jobs_ VKHOST_GUARDED_BY(mutex_) = 0;
  bool no_more_jobs_ VKHOST_GUARDED_BY(mutex_) = false;
  bool is_stopping_ VKHOST_GUARDED_BY(mutex_) = false;
  bool is_stopped_ VKHOST_GUARDED_BY(mutex_) = false;

  std::atomic<std::size_t> connections_now_ = 0;
  std::atomic<std::size_t> streams_now_ = 0;
  std::atomic<std::size_t> workers_now_ = 0;
  std::atomic<std::uint64_t> requests_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;

  Thread loop_;  // last: it uses all of the above
};

Server::Counts SocketServer::counts() const {
  return {connections_now_, streams_now_, workers_now_, requests_, refused_};
}

Result<int> SocketServer::listen(const Listen& listen) {
  VKHOST_TRY_ASSIGN(BoundListener bound, bind_listener(listen.address, listen.port));
  const int port = bound.port;
  {
    MutexLock lock(mutex_);
    if (is_stopping_) {
      return cancelled("listening: the server stops");
    }
    inbox_.listeners.push_back({std::move(bound), listen});
  }
  wake_up_.wake();
  return port;
}

void SocketServer::unlisten(int port) {
  {
    MutexLock lock(mutex_);
    inbox_.closed_ports.push_back(port);
  }
  wake_up_.wake();
}

void SocketServer::stop_now() {
  {
    MutexLock lock(mutex_);
    if (is_stopping_) {
      while (!is_stopped_) {
        stopped_.wait(mutex_);
      }
      return;
    }
    is_stopping_ = true;
    inbox_.stop = true;
  }
  wake_up_.wake();
  loop_.join();
  stop_source_.cancel();  // requests and streams
  for (auto& [id, stream] : streams_) {
    stream.socket->shutdown();
  }
  listeners_.clear();
  clients_.clear();
  {
    MutexLock lock(mutex_);
    no_more_jobs_ = true;
    jobs_.clear();
    job_arrived_.notify_all();
  }
  workers_.clear();  // joins
  streams_.clear();
  connections_now_ = 0;
  streams_now_ = 0;
  workers_now_ = 0;
  MutexLock lock(mutex_);
  inbox_ = {};
  is_stopped_ = true;
  stopped_.notify_all();
}

// ---- the loop ------------------------------------------------------------------------------------

void SocketServer::run() {
  while (take_inbox()) {
    wait();
    serve_ready();
  }
}

bool SocketServer::take_inbox() {
  Inbox inbox;
  {
    MutexLock lock(mutex_);
    std::swap(inbox, inbox_);
  }
  if (inbox.stop) {
    return false;
  }
  for (Listening& listening : inbox.listeners) {
    listeners_.push_back(std::move(listening));
  }
  for (const int port : inbox.closed_ports) {
    std::erase_if(listeners_, [&](const Listening& it) { return it.bound.port == port; });
  }
  for (const std::uint64_t id : inbox.ended_streams) {
    streams_.erase(id);  // joins a thread that is about to end
    streams_now_ = streams_.size();
  }
  for (auto& [id, reply] : inbox.replies) {
    take_reply(id, std::move(reply));
  }
  return true;
}

void SocketServer::wait() {
  const auto now = std::chrono::steady_clock::now();
  const bool accepting = now >= accept_again_;
  SteadyTime until = accepting ? SteadyTime::max() : accept_again_;
  polled_.clear();
  polled_clients_.clear();
  polled_.push_back({wake_up_.descriptor(), POLLIN, 0});
  for (const Listening& listening : listeners_) {
    polled_.push_back({accepting ? listening.bound.descriptor.get() : -1, POLLIN, 0});
  }
  for (const auto& [id, client] : clients_) {
    const ServerConnection& connection = *client.connection;
    pollfd entry{connection.socket()->sockfd(), 0, 0};
    if (client.left) {
      entry.fd = -1;  // its end would be reported for ever
    } else if (connection.is_handling()) {
      entry.events = POLLRDHUP;
    } else {
      entry.events = connection.wanted() == Want::Write ? POLLOUT : POLLIN;
    }
    polled_.push_back(entry);
    polled_clients_.push_back(id);
    until = client.again ? now : std::min(until, connection.deadline());
  }
  int timeout = -1;
  if (until != SteadyTime::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
    timeout = static_cast<int>(
        std::clamp<std::chrono::milliseconds::rep>(left, 0, std::numeric_limits<int>::max()));
  }
  if (::poll(polled_.data(), polled_.size(), timeout) < 0 && errno != EINTR) {
    // ENOMEM at worst: with nothing marked ready the loop comes back.
    for (pollfd& entry : polled_) {
      entry.revents = 0;
    }
  }
}

void SocketServer::serve_ready() {
  if (polled_.front().revents != 0) {
    wake_up_.clear();
  }
  const auto now = std::chrono::steady_clock::now();
  const std::size_t first_client = 1 + listeners_.size();
  for (std::size_t i = 0; i < polled_clients_.size(); ++i) {
    const std::uint64_t id = polled_clients_[i];
    Client& client = clients_.at(id);
    const bool ready = polled_[first_client + i].revents != 0;
    if (client.connection->is_handling()) {
      if (ready) {
        client.left = true;
        client.request->cancel();
      }
    } else if (ready || client.again) {
      proceed(id, client, client.connection->advance());
    } else if (now >= client.connection->deadline()) {
      proceed(id, client, client.connection->expire());
    }
  }
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (polled_[1 + i].revents != 0) {
      accept_from(listeners_[i]);
    }
  }
}

void SocketServer::accept_from(const Listening& listening) {
  for (std::size_t i = 0; i < kAcceptsAtOnce; ++i) {
    Accepted accepted = accept_connection(listening.bound.descriptor.get());
    if (accepted.descriptor.get() < 0) {
      if (accepted.out_of_descriptors) {
        accept_again_ = std::chrono::steady_clock::now() + kAcceptPause;
        log_.warn("no file descriptor left for a connection; accepting pauses");
      }
      return;
    }
    if (clients_.size() >= settings_.max_connections + kToldSo) {
      ++refused_;
      continue;  // closed at once
    }
    add_client(listening, std::move(accepted));
  }
}

void SocketServer::add_client(const Listening& listening, Accepted accepted) {
  ServerConnection::Origin origin;
  origin.clients = listening.settings.clients;
  origin.local_port = listening.bound.port;
  origin.remote_address = std::move(accepted.remote_address);
  origin.overloaded = clients_.size() >= settings_.max_connections;
  try {
    if (listening.settings.identity != nullptr) {
      origin.tls = TlsSocketImpl::accept_side(accepted.descriptor.release(),
                                              listening.settings.identity->current());
      origin.socket = origin.tls;
    } else {
      origin.socket = share_socket(new DeadlineSocketImpl(accepted.descriptor.release()));
    }
  } catch (const Poco::Exception& error) {
    log_.warn("a connection could not be served", {{"error", error.displayText()}});
    return;
  }
  if (origin.overloaded) {
    ++refused_;
  }
  const std::uint64_t id = ++last_id_;
  clients_[id].connection =
      std::make_unique<ServerConnection>(std::move(origin), settings_, *clock_);
  connections_now_ = clients_.size();
}

void SocketServer::proceed(std::uint64_t id, Client& client, Next next) {
  client.again = next == Next::Again;
  if (next == Next::Handle) {
    hand_over(id, client);
  } else if (next == Next::Close) {
    clients_.erase(id);
    connections_now_ = clients_.size();
  }
}

bool SocketServer::is_full() {
  MutexLock lock(mutex_);
  return jobs_.size() + running_jobs_ >= settings_.workers + settings_.max_waiting;
}

void SocketServer::hand_over(std::uint64_t id, Client& client) {
  ++requests_;
  if (is_full()) {
    ++refused_;
    proceed(id, client, client.connection->refuse(503, "too many requests; try again later"));
    return;
  }
  client.request = std::make_unique<CancelSource>(stop_source_.token());
  Job job{id, client.connection->take_request()};
  job.request.cancel = client.request->token();
  bool start_worker = false;
  {
    MutexLock lock(mutex_);
    jobs_.push_back(std::move(job));
    start_worker = jobs_.size() > idle_workers_ && workers_.size() < settings_.workers;
    job_arrived_.notify_one();
  }
  if (start_worker) {
    workers_.emplace_back(settings_.name + "-" + std::to_string(workers_.size()),
                          [this] { work(); });
    workers_now_ = workers_.size();
  }
}

void SocketServer::take_reply(std::uint64_t id, Reply reply) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) {
    return;
  }
  Client& client = found->second;
  client.request.reset();
  const bool left = std::exchange(client.left, false);
  if (!reply.stream) {
    proceed(id, client, client.connection->answer(std::move(reply)));
  } else if (left) {
    proceed(id, client, Next::Close);
  } else {
    start_stream(id, client, std::move(reply));
  }
}

void SocketServer::start_stream(std::uint64_t id, Client& client, Reply reply) {
  if (streams_.size() >= settings_.max_streams) {
    ++refused_;
    proceed(id, client,
            client.connection->refuse(503, "all " + std::to_string(settings_.max_streams) +
                                               " streams are in use; try again later"));
    return;
  }
  Stream& stream = streams_[id];
  stream.socket = client.connection->socket();
  stream.source = std::make_unique<CancelSource>(stop_source_.token());
  std::shared_ptr<StreamConnection> connection = client.connection->release(stream.source->token());
  proceed(id, client, Next::Close);
  streams_now_ = streams_.size();
  stream.thread = Thread(settings_.name + "-stream",
                         [this, id, connection, reply = std::move(reply)]() mutable {
                           run_stream(*connection, reply);
                           reply = {};  // what it holds ends here and not with the thread's object
                           connection.reset();
                           {
                             MutexLock lock(mutex_);
                             inbox_.ended_streams.push_back(id);
                           }
                           wake_up_.wake();
                         });
}

void SocketServer::run_stream(StreamConnection& connection, const Reply& reply) {
  try {
    reply.stream(connection);
  } catch (const std::exception& error) {
    log_.error("a stream ended by an exception", {{"error", error.what()}});
  } catch (...) {
    log_.error("a stream ended by an unknown exception");
  }
}

// ---- workers -------------------------------------------------------------------------------------

void SocketServer::work() {
  for (;;) {
    Job job;
    {
      MutexLock lock(mutex_);
      ++idle_workers_;
      while (jobs_.empty() && !no_more_jobs_) {
        job_arrived_.wait(mutex_);
      }
      --idle_workers_;
      if (no_more_jobs_) {
        return;
      }
      job = std::move(jobs_.front());
      jobs_.pop_front();
      ++running_jobs_;
    }
    Reply reply = handle(job.request);
    {
      MutexLock lock(mutex_);
      --running_jobs_;
      inbox_.replies.emplace_back(job.client, std::move(reply));
    }
    wake_up_.wake();
  }
}

Reply SocketServer::handle(const ServerRequest& request) {
  std::string problem;
  try {
    return handler_->handle(request);
  } catch (const std::exception& error) {
    problem = error.what();
  } catch (...) {
    problem = "an unknown exception";
  }
  log_.error("a request ended by an exception",
             {{"method", request.method}, {"path", request.path()}, {"error", problem}});
  return settings_.refusal(500, "internal error");
}

}  // namespace

Result<std::unique_ptr<Server>> Server::create(ServerSettings settings,
                                               std::shared_ptr<Handler> handler,
                                               std::shared_ptr<const Clock> clock,
                                               observe::Logger log) {
  VKHOST_TRY_ASSIGN(WakeUp wake_up, WakeUp::create());
  return std::unique_ptr<Server>(
      std::make_unique<SocketServer>(std::move(settings), std::move(handler), std::move(clock),
                                     std::move(log), std::move(wake_up)));
}

}  // namespace vkhost::http
