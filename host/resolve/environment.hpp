// Environment: the variables of one container, in order and without repeats.
//
// A name that is given again counts where it was given last. Lives for one material. [no-block]
#pragma once

#include "resolve/expand.hpp"
#include "resolve/service_variables.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::resolve {

struct Variable {
  std::string name;
  Value value;
  std::string late_field;   // "status.podIP": filled in by the provider, value is empty
  bool service = false;     // a service variable
  bool superseded = false;  // given again further on
};

class Environment {
 public:
  void set(const std::string& name, Value value) {
    add({name, std::move(value), {}, false, false});
  }
  void set_late(const std::string& name, const std::string& field) {
    add({name, {}, field, false, false});
  }
  // Those whose names are not taken.
  void add_services(const ServiceVariables& services);

  // Null when the name is not set.
  [[nodiscard]] const Variable* find(std::string_view name) const;
  // What $(NAME) stands for: null when the name is not set, or not known before the provider knows.
  [[nodiscard]] const Value* value_of(std::string_view name) const;

  [[nodiscard]] std::string json() const;

 private:
  void add(Variable variable);

  std::vector<Variable> variables_;
  std::map<std::string, std::size_t, std::less<>> places_;
};

// Names that a key of a ConfigMap or Secret may become.
enum class EnvNames {
  Identifiers,  // letters, digits, "-", "_", "."; no digit first, neither ".", ".." nor "..x"
  Printable     // printable ASCII without "=": what newer API servers and kubelets take
};
bool is_env_name(std::string_view name, EnvNames names);

}  // namespace vkhost::resolve
