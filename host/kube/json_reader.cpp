#include "kube/json_reader.hpp"

#include <utility>

namespace vkhost::kube {
namespace {

// One huge document must not keep its buffers alive for the life of the thread.
constexpr std::size_t kKeptCapacity = std::size_t{1024} * 1024;

struct ThreadParser {
  simdjson::dom::parser parser;
  simdjson::error_code prepare(std::size_t size) {
    if (parser.capacity() > kKeptCapacity && size <= kKeptCapacity) {
      parser = simdjson::dom::parser();
    }
    if (parser.capacity() >= size && parser.capacity() > 0) {
      return simdjson::SUCCESS;
    }
    // The depth limit has to be given with the first allocation; later ones keep it.
    return parser.allocate(size < 4096 ? 4096 : size + size / 4, kMaxJsonDepth);
  }
};

Result<simdjson::dom::element> parse_with(std::string_view text, bool padded) {
  thread_local ThreadParser mine;
  simdjson::error_code error = mine.prepare(text.size());
  simdjson::dom::element root;
  if (error == simdjson::SUCCESS) {
    error = mine.parser.parse(text.data(), text.size(), !padded).get(root);
  }
  switch (error) {
    case simdjson::SUCCESS:
      return root;
    case simdjson::DEPTH_ERROR:
      return invalid_argument("the JSON nests deeper than 64 levels");
    case simdjson::MEMALLOC:
    case simdjson::CAPACITY:
      return Status(StatusCode::ResourceExhausted,
                    "no memory for a JSON document of " + std::to_string(text.size()) + " bytes");
    default:
      return invalid_argument(std::string("not valid JSON: ") + simdjson::error_message(error));
  }
}

}  // namespace

Result<simdjson::dom::element> read_json(std::string_view text) { return parse_with(text, false); }

Result<simdjson::dom::element> read_padded_json(std::string_view text) {
  return parse_with(text, true);
}

std::string_view json_type_name(simdjson::dom::element element) {
  using Type = simdjson::dom::element_type;
  switch (element.type()) {
    case Type::ARRAY:
      return "a list";
    case Type::OBJECT:
      return "an object";
    case Type::STRING:
      return "a string";
    case Type::BOOL:
      return "a boolean";
    case Type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

Status wrong_json_type(std::string_view field,
                       simdjson::dom::element found,
                       std::string_view wanted) {
  return invalid_argument(std::string(field) + " is " + std::string(json_type_name(found)) +
                          ", not " + std::string(wanted));
}

Result<simdjson::dom::object> as_object(simdjson::dom::element element, std::string_view field) {
  simdjson::dom::object value;
  if (element.get(value) != simdjson::SUCCESS) {
    return wrong_json_type(field, element, "an object");
  }
  return value;
}

Result<simdjson::dom::array> as_array(simdjson::dom::element element, std::string_view field) {
  simdjson::dom::array value;
  if (element.get(value) != simdjson::SUCCESS) {
    return wrong_json_type(field, element, "a list");
  }
  return value;
}

Result<std::string_view> as_string(simdjson::dom::element element, std::string_view field) {
  std::string_view value;
  if (element.get(value) != simdjson::SUCCESS) {
    return wrong_json_type(field, element, "a string");
  }
  return value;
}

Result<std::int64_t> as_int(simdjson::dom::element element, std::string_view field) {
  std::int64_t value = 0;
  if (element.get(value) != simdjson::SUCCESS) {
    return wrong_json_type(field, element, "a whole number of 64 bits");
  }
  return value;
}

Result<bool> as_bool(simdjson::dom::element element, std::string_view field) {
  bool value = false;
  if (element.get(value) != simdjson::SUCCESS) {
    return wrong_json_type(field, element, "a boolean");
  }
  return value;
}

namespace detail {

Status find_members(simdjson::dom::object object,
                    std::string_view path,
                    const std::string_view* keys,
                    OptionalElement* found,
                    std::size_t count) {
  std::uint64_t seen = 0;
  for (const auto field : object) {
    for (std::size_t index = 0; index < count; ++index) {
      if (field.key != keys[index]) {
        continue;
      }
      const std::uint64_t bit = std::uint64_t{1} << index;
      if ((seen & bit) != 0) {
        return invalid_argument(std::string(path) + std::string(keys[index]) + " stands twice");
      }
      seen |= bit;
      if (!field.value.is_null()) {
        found[index] = field.value;
      }
      break;
    }
  }
  return Status::ok();
}

}  // namespace detail

Status read_string(const OptionalElement& member, std::string_view field, std::string& out) {
  if (member) {
    VKHOST_TRY_ASSIGN(out, as_string(*member, field));
  }
  return Status::ok();
}

Status read_int(const OptionalElement& member, std::string_view field, std::int64_t& out) {
  if (member) {
    VKHOST_TRY_ASSIGN(out, as_int(*member, field));
  }
  return Status::ok();
}

Status read_bool(const OptionalElement& member, std::string_view field, bool& out) {
  if (member) {
    VKHOST_TRY_ASSIGN(out, as_bool(*member, field));
  }
  return Status::ok();
}

}  // namespace vkhost::kube
