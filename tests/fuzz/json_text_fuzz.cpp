// Whatever the bytes are, json_string() writes one valid JSON string; well-formed text survives the
// way there and back.
#include "base/json_text.hpp"

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);

  simdjson::dom::parser parser;
  std::string_view back;
  if (parser.parse("[" + vkhost::json_string(text) + "]").at(0).get_string().get(back) !=
      simdjson::SUCCESS) {
    std::abort();
  }
  if (vkhost::is_utf8(text) && back != text) {
    std::abort();
  }
  return 0;
}
