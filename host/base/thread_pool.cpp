#include "base/thread_pool.hpp"

#include "base/mutex.hpp"
#include "base/thread.hpp"

#include <algorithm>
#include <list>
#include <system_error>
#include <utility>
#include <vector>

namespace vkhost {
struct ThreadPool::Worker : std::enable_shared_from_this<ThreadPool::Worker> {
  Thread thread;
  CondVar wake;
  std::function<void()> task;
  bool idle = false;
};

struct ThreadPool::Core : std::enable_shared_from_this<ThreadPool::Core> {
  Core(const Clock& with_clock, ThreadPoolSettings with)
      : clock(&with_clock), settings(std::move(with)) {}

  Mutex mutex;
  CondVar changed;
  const Clock* const clock;
  const ThreadPoolSettings settings;
  bool closed VKHOST_GUARDED_BY(mutex) = false;
  std::list<std::shared_ptr<Worker>> workers VKHOST_GUARDED_BY(mutex);
  // The last one in is the first one out.
  std::vector<std::shared_ptr<Worker>> idle VKHOST_GUARDED_BY(mutex);
  std::vector<std::shared_ptr<Worker>> finished VKHOST_GUARDED_BY(mutex);  // to be joined

  void retire(Worker* worker) VKHOST_REQUIRES(mutex) {
    const auto found = std::find_if(workers.begin(), workers.end(),
                                    [&](const auto& it) { return it.get() == worker; });
    if (found != workers.end()) {
      finished.push_back(std::move(*found));
      workers.erase(found);
    }
    changed.notify_all();
  }

  Status start_worker(std::function<void()> task) VKHOST_REQUIRES(mutex);

  // Waits for a task; false when the thread shall end.
  bool wait_for_task(Worker* worker) VKHOST_REQUIRES(mutex) {
    worker->idle = true;
    idle.push_back(worker->shared_from_this());
    changed.notify_all();
    while (worker->idle && !closed) {
      if (idle.size() <= settings.kept_idle) {
        worker->wake.wait(mutex);
      } else if (!worker->wake.wait_until(mutex, clock->steady_now() + settings.idle_limit) &&
                 idle.size() > settings.kept_idle) {
        break;
      }
    }
    if (worker->idle) {
      std::erase_if(idle, [&](const auto& it) { return it.get() == worker; });
    }
    return !worker->idle;
  }
};

namespace {

// Takes the worker out of the books when its thread ends, also by a plugin's pthread_exit.
template <typename Core, typename Worker>
class Presence {
 public:
  Presence(std::shared_ptr<Core> core, Worker* worker) : core_(std::move(core)), worker_(worker) {}
  ~Presence() {
    const MutexLock lock(core_->mutex);
    core_->retire(worker_);
  }
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

 private:
  std::shared_ptr<Core> core_;
  Worker* worker_;
};

template <typename Core, typename Worker>
void work(const std::shared_ptr<Core>& core, Worker* worker) {
  const Presence<Core, Worker> presence(core, worker);
  while (true) {
    std::function<void()> task;
    {
      const MutexLock lock(core->mutex);
      if (worker->task == nullptr && !core->wait_for_task(worker)) {
        return;
      }
      task = std::exchange(worker->task, nullptr);
    }
    task();
  }
}

// Never destroyed, which would join them.
template <typename Worker>
void leave_behind(std::list<std::shared_ptr<Worker>>& workers) {
  static Mutex* const mutex = new Mutex;
  static auto* const left = new std::list<std::shared_ptr<Worker>>;
  const MutexLock lock(*mutex);
  left->splice(left->end(), workers);
}

}  // namespace

Status ThreadPool::Core::start_worker(std::function<void()> task) {
  if (workers.size() >= settings.max_threads) {
    return {StatusCode::ResourceExhausted, std::to_string(workers.size()) +
                                               " threads are at work; no further one is "
                                               "started before one is free"};
  }
  auto worker = std::make_shared<Worker>();
  worker->task = std::move(task);
  try {
    worker->thread = Thread(settings.name,
                            [core = shared_from_this(), self = worker.get()] { work(core, self); });
  } catch (const std::system_error& error) {
    return {StatusCode::ResourceExhausted,
            std::string("no thread can be started: ") + error.what()};
  }
  workers.push_back(std::move(worker));
  return Status::ok();
}

ThreadPool::ThreadPool(const Clock& clock, ThreadPoolSettings settings)
    : core_(std::make_shared<Core>(clock, std::move(settings))) {}

ThreadPool::~ThreadPool() {
  std::vector<std::shared_ptr<Worker>> ended;
  {
    const MutexLock lock(core_->mutex);
    core_->closed = true;
    for (const auto& worker : core_->idle) {
      worker->wake.notify_one();
    }
    const SteadyTime limit = core_->clock->steady_now() + core_->settings.end_limit;
    while (!core_->workers.empty()) {
      if (!core_->changed.wait_until(core_->mutex, limit)) {
        break;
      }
    }
    leave_behind(core_->workers);
    ended.swap(core_->finished);
  }
}

Status ThreadPool::run(std::function<void()> task) {
  std::vector<std::shared_ptr<Worker>> ended;  // joined after the lock is gone
  std::shared_ptr<Worker> woken;
  {
    const MutexLock lock(core_->mutex);
    ended.swap(core_->finished);
    if (core_->idle.empty()) {
      return core_->start_worker(std::move(task));
    }
    woken = std::move(core_->idle.back());
    core_->idle.pop_back();
    woken->idle = false;
    woken->task = std::move(task);
  }
  woken->wake.notify_one();  // without the lock, for which it would only wait
  return Status::ok();
}

std::size_t ThreadPool::threads() const {
  const MutexLock lock(core_->mutex);
  return core_->workers.size();
}

}  // namespace vkhost
