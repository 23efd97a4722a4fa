#include "kube/text_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace vkhost::kube {
namespace {

Status file_fault(const std::filesystem::path& file, int error) {
  const std::string message =
      "reading " + file.string() + ": " + std::generic_category().message(error);
  return error == ENOENT ? not_found(message) : failed_precondition(message);
}

class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& file)
      // Not blocking, for the case that somebody put a pipe there.
      : descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

Result<std::string> read_text_file(const std::filesystem::path& file, std::size_t max_bytes) {
  const OpenFile open_file(file);
  if (open_file.get() < 0) {
    return file_fault(file, errno);
  }
  std::string text;
  std::array<char, 16384> chunk{};
  for (;;) {
    const ssize_t count = ::read(open_file.get(), chunk.data(), chunk.size());
    if (count < 0) {
      if (errno == EINTR) {
        continue;
      }
      return file_fault(file, errno);
    }
    if (count == 0) {
      return text;
    }
    text.append(chunk.data(), static_cast<std::size_t>(count));
    if (text.size() > max_bytes) {
      return Status(StatusCode::ResourceExhausted, "reading " + file.string() + ": larger than " +
                                                       std::to_string(max_bytes) + " bytes");
    }
  }
}

}  // namespace vkhost::kube
