#include "support/fake_node_api.hpp"

#include "support/strategic_merge.hpp"

#include <Poco/JSON/Object.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace vkhost::testing {
namespace {

using Poco::JSON::Object;

// Of an object that has one; a write with another one comes too late.
bool is_outdated(const Object::Ptr& written, Object::Ptr present) {
  const Object::Ptr metadata = written->getObject("metadata");
  return !metadata.isNull() && metadata->has("resourceVersion") &&
         metadata->get("resourceVersion").toString() !=
             object_member(present, "metadata")->get("resourceVersion").toString();
}

Status conflict() {
  return Status(StatusCode::Aborted, "the object has been modified").with_reason("Conflict");
}

}  // namespace

Status FakeNodeApi::arrive(std::string_view path, const kube::CallOptions& options) {
  bool hangs = false;
  {
    const MutexLock lock(mutex_);
    attempts_.emplace_back(path);
    changed_.notify_all();
    if (mood_ == Mood::Away) {
      return unavailable("connection refused");
    }
    hangs = mood_ == Mood::Hangs &&
            (hangs_at_.empty() || path.substr(0, hangs_at_.size()) == hangs_at_);
  }
  if (hangs) {
    return options.cancel.wait_until(options.deadline.when()) ? cancelled("cancelled")
                                                              : deadline_exceeded("no answer");
  }
  return Status::ok();
}

Result<std::string> FakeNodeApi::get(std::string_view path,
                                     const kube::Query& /*query*/,
                                     const kube::CallOptions& options) {
  VKHOST_TRY(arrive(path, options));
  std::function<void(const std::string&)> hook;
  Result<std::string> answer = std::string();
  {
    const MutexLock lock(mutex_);
    answer = find(std::string(path));
    hook = after_get_;
  }
  if (hook) {
    hook(std::string(path));
  }
  return answer;
}

Result<std::string> FakeNodeApi::create(std::string_view path,
                                        std::string body,
                                        const kube::CallOptions& options) {
  VKHOST_TRY(arrive(path, options));
  const MutexLock lock(mutex_);
  const Object::Ptr object = parse_object(body);
  Object::Ptr metadata = object_member(object, "metadata");
  metadata->set("uid", "uid-" + std::to_string(++serial_));
  const std::string place = std::string(path) + "/" + metadata->getValue<std::string>("name");
  if (objects_.contains(place)) {
    return Status(StatusCode::AlreadyExists, "there is one").with_reason("AlreadyExists");
  }
  ++creates_[place];
  store(place, text_of(object));
  return find(place);
}

Result<std::string> FakeNodeApi::update(std::string_view path,
                                        std::string body,
                                        const kube::CallOptions& options) {
  VKHOST_TRY(arrive(path, options));
  const MutexLock lock(mutex_);
  const std::string place(path);
  if (!objects_.contains(place)) {
    return not_found("no such object");
  }
  if (is_outdated(parse_object(body), parse_object(objects_[place]))) {
    return conflict();
  }
  ++updates_[place];
  store(place, body);
  return find(place);
}

Result<std::string> FakeNodeApi::patch(std::string_view path,
                                       kube::PatchType /*type*/,
                                       std::string body,
                                       const kube::CallOptions& options) {
  VKHOST_TRY(arrive(path, options));
  const std::string place(path.substr(0, path.rfind("/status")));
  std::function<void(const std::string&)> hook;
  Result<std::string> answer = std::string();
  {
    const MutexLock lock(mutex_);
    if (!objects_.contains(place)) {
      return not_found("no such object");
    }
    if (!refused_.empty() && body.find(refused_) != std::string::npos) {
      return invalid_argument("the object is invalid");
    }
    const Object::Ptr object = parse_object(objects_[place]);
    const Object::Ptr change = parse_object(body);
    if (is_outdated(change, object)) {
      return conflict();
    }
    strategic_merge(object, change);
    patches_.push_back(std::move(body));
    store(place, text_of(object));
    answer = find(place);
    hook = on_patch_;
  }
  if (hook) {
    hook(place);
  }
  return answer;
}

Result<std::string> FakeNodeApi::remove(std::string_view /*path*/,
                                        std::string /*body*/,
                                        const kube::CallOptions& /*options*/) {
  return unimplemented("nobody removes nodes here");
}

Result<std::unique_ptr<kube::WatchStream>> FakeNodeApi::watch(
    std::string_view /*path*/, const kube::Query& /*query*/, const kube::CallOptions& /*options*/) {
  return unimplemented("nobody watches nodes here");
}

Result<std::string> FakeNodeApi::find(const std::string& path) const {
  const auto found = objects_.find(path);
  return found == objects_.end() ? Result<std::string>(not_found("no such object"))
                                 : Result<std::string>(found->second);
}

void FakeNodeApi::store(const std::string& path, const std::string& object) {
  const Object::Ptr stored = parse_object(object);
  object_member(stored, "metadata")->set("resourceVersion", std::to_string(++serial_));
  objects_[path] = text_of(stored);
  changed_.notify_all();
}

void FakeNodeApi::put(const std::string& path, const std::string& object) {
  const MutexLock lock(mutex_);
  store(path, object);
}

void FakeNodeApi::erase(const std::string& path) {
  const MutexLock lock(mutex_);
  objects_.erase(path);
}

void FakeNodeApi::go_away() {
  const MutexLock lock(mutex_);
  mood_ = Mood::Away;
}

void FakeNodeApi::come_back() {
  const MutexLock lock(mutex_);
  mood_ = Mood::Answers;
}

void FakeNodeApi::hang(std::string path) {
  const MutexLock lock(mutex_);
  hangs_at_ = std::move(path);
  mood_ = Mood::Hangs;
}

void FakeNodeApi::after_get(std::function<void(const std::string& path)> hook) {
  const MutexLock lock(mutex_);
  after_get_ = std::move(hook);
}

void FakeNodeApi::on_patch(std::function<void(const std::string& path)> hook) {
  const MutexLock lock(mutex_);
  on_patch_ = std::move(hook);
}

int FakeNodeApi::creates(const std::string& path) const {
  const MutexLock lock(mutex_);
  const auto found = creates_.find(path);
  return found == creates_.end() ? 0 : found->second;
}

int FakeNodeApi::updates(const std::string& path) const {
  const MutexLock lock(mutex_);
  const auto found = updates_.find(path);
  return found == updates_.end() ? 0 : found->second;
}

int FakeNodeApi::attempts(const std::string& path) const {
  const MutexLock lock(mutex_);
  return static_cast<int>(
      std::count_if(attempts_.begin(), attempts_.end(), [&](const std::string& attempt) {
        return std::string_view(attempt).substr(0, path.size()) == path;
      }));
}

std::string FakeNodeApi::object(const std::string& path) const {
  const MutexLock lock(mutex_);
  const auto found = objects_.find(path);
  return found == objects_.end() ? std::string() : found->second;
}

void FakeNodeApi::refuse_patches_with(std::string text) {
  const MutexLock lock(mutex_);
  refused_ = std::move(text);
}

std::vector<std::string> FakeNodeApi::patches() const {
  const MutexLock lock(mutex_);
  return patches_;
}

bool FakeNodeApi::wait_until(const std::function<bool()>& holds) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!holds()) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline) {
      return false;
    }
    // What is looked at may also change without a request.
    const MutexLock lock(mutex_);
    static_cast<void>(changed_.wait_until(mutex_, now + std::chrono::milliseconds{10}));
  }
  return true;
}

std::string FakeNodeApi::wait_for(const std::string& path,
                                  const std::function<bool(const std::string&)>& holds) const {
  std::string found;
  static_cast<void>(wait_until([&] {
    found = object(path);
    return !found.empty() && holds(found);
  }));
  return !found.empty() && holds(found) ? found : std::string();
}

std::string FakeNodeApi::wait_for_patch(const std::string& text) const {
  std::string found;
  static_cast<void>(wait_until([&] {
    const std::vector<std::string> sent = patches();
    const auto match = std::find_if(sent.begin(), sent.end(), [&](const std::string& patch) {
      return patch.find(text) != std::string::npos;
    });
    found = match == sent.end() ? std::string() : *match;
    return !found.empty();
  }));
  return found;
}

}  // namespace vkhost::testing
