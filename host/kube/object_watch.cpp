#include "kube/object_watch.hpp"

#include "kube/json_cut.hpp"
#include "kube/json_reader.hpp"

#include <utility>

namespace vkhost::kube {
namespace {

ListWatchSettings one_object(const ObjectWatchSettings& settings) {
  ListWatchSettings list_watch = settings.list_watch;
  list_watch.path = settings.collection_path;
  list_watch.field_selector = "metadata.name=" + settings.name;
  return list_watch;
}

}  // namespace

ObjectWatch::ObjectWatch(const ObjectWatchSettings& settings, Parts parts)
    : name_(settings.name),
      listener_(parts.listener),
      loop_(parts.loop),
      log_(parts.log),
      list_watch_(one_object(settings),
                  {parts.client, *this, std::move(parts.clock), std::move(parts.random), log_,
                   parts.metrics}) {}

ObjectWatch::~ObjectWatch() { stop(); }

void ObjectWatch::start() { loop_.add(list_watch_); }

void ObjectWatch::stop() { loop_.remove(list_watch_); }

bool ObjectWatch::is_readable(std::string_view object) const {
  const auto root = read_json(object);
  if (root.is_ok() && as_object(*root, "the object").is_ok()) {
    return true;
  }
  log_.error("An object of the API server can't be read and is left as it was",
             {{"object", name_}, observe::error_field(root.status())});
  return false;
}

void ObjectWatch::list_started() {
  found_ = Found::Nothing;
  listed_.clear();
}

void ObjectWatch::listed(std::string_view object) {
  // A server that ignores the selector would list the whole collection.
  if (plain_string(find_member(find_member(object, "metadata"), "name")) != name_) {
    return;
  }
  found_ = is_readable(object) ? Found::Object : Found::Unreadable;
  listed_ = object;
}

bool ObjectWatch::unlisted(std::string_view object) {
  if (plain_string(find_member(find_member(object, "metadata"), "name")) == name_) {
    list_started();
  }
  return true;
}

void ObjectWatch::list_complete() {
  if (found_ == Found::Object) {
    listener_.object_changed(std::exchange(listed_, {}));
  } else if (found_ == Found::Nothing) {
    listener_.object_gone();
  }
}

void ObjectWatch::applied(std::string_view object) {
  if (plain_string(find_member(find_member(object, "metadata"), "name")) == name_ &&
      is_readable(object)) {
    listener_.object_changed(std::string(object));
  }
}

bool ObjectWatch::removed(std::string_view object) {
  if (plain_string(find_member(find_member(object, "metadata"), "name")) == name_) {
    listener_.object_gone();
  }
  return true;
}

}  // namespace vkhost::kube
