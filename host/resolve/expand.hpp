// expand(): $(NAME) in values, commands and paths, by the rules of Kubernetes.
//
//   $(NAME)  the variable's value, which is not looked at again; as it stands when there is none
//   $$       one $, so that $$(NAME) is the text $(NAME)
//   $( without a ), $ before anything else, $ at the end: as they stand
//
// NAME is everything up to the next ")". [any-thread] [no-block]
#pragma once

#include "base/status.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace vkhost::resolve {

struct Value {
  std::string text;
  bool secret = false;  // came from a Secret, or was expanded from one

  friend bool operator==(const Value& a, const Value& b) = default;
};

// Null for a name that stays as it stands.
using VariableLookup = std::function<const Value*(std::string_view name)>;

// The result is secret when a secret value went in. FAILED_PRECONDITION when it would be longer
// than `max_bytes`: a few variables that name each other twice grow without bound.
Result<Value> expand(std::string_view text, const VariableLookup& lookup, std::size_t max_bytes);

}  // namespace vkhost::resolve
