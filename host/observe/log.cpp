#include "observe/log.hpp"

namespace vkhost::observe {

Logger Logger::with(Fields fields) const {
  Logger child(sink_);
  Fields all = fields_ ? *fields_ : Fields{};
  all.insert(all.end(), std::make_move_iterator(fields.begin()),
             std::make_move_iterator(fields.end()));
  child.fields_ = std::make_shared<const Fields>(std::move(all));
  return child;
}

void Logger::log(Level level, std::string_view message, std::initializer_list<Field> fields) const {
  if (!accepts(level)) {
    return;
  }
  Fields all = fields_ ? *fields_ : Fields{};
  all.insert(all.end(), fields.begin(), fields.end());
  sink_->write(level, message, all);
}

Field error_field(const Status& status) { return {"error", status.to_string()}; }

}  // namespace vkhost::observe
