// What can be told of material without showing it. Whoever can guess a value can check the guess: a
// digest of a password is not for everybody's eyes either. [any-thread] [no-block]
#pragma once

#include <string>
#include <string_view>

namespace vkhost::mock {

// "sha256:" and 64 hexadecimal digits.
[[nodiscard]] std::string digest_of(std::string_view text);

// The same document with each text replaced by its digest. Names, paths, servers, audiences and times
// of expiry stay, and so do numbers and booleans. Throws Error(InvalidArgument), which shows nothing
// of the document, when it is not JSON.
[[nodiscard]] std::string hash_texts(std::string_view material);

}  // namespace vkhost::mock
