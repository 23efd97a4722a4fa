// Building and reading a tree of settings by dotted keys, for what does not come from a file: flags
// and environment variables. [any-thread] [no-block]
#pragma once

#include "config/problem.hpp"
#include "config/value.hpp"

#include <string>
#include <string_view>

namespace vkhost::config {

// A place without lines: "--nodename", "environment variable KUBECONFIG".
Place place_of_setting(std::string name);

// Sets the key ("kubelet.listen") below `root`, a table, making tables on the way.
void put_setting(Value& root, std::string_view key, Value value);

// Where that key was given, or the closest table around it; list elements as in "node[1].name".
Place place_of_key(const Value& root, std::string_view key);

// Puts `over` on `base` as flags stand over a file. A [provider] or [node] of `over` goes to the
// only one of `base`; where there are several that is a problem.
void merge_settings(Value& base, Value over, Problems& problems);

// Adds what `base` lacks. A [node] of `defaults` counts where `base` has at most one.
void fill_in_settings(Value& base, Value defaults);

}  // namespace vkhost::config
