// Addresses: hands out the IPv4 addresses of a range, each to one pod at a time. Not thread-safe:
// its owner holds a lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace vkhost::mock {

struct Ipv4Range {
  std::uint32_t first = 0;  // the network address, which is not handed out
  std::uint32_t size = 0;
};

// "198.18.0.0/15"; nothing for what is not a range of 4 to 2^24 addresses.
[[nodiscard]] std::optional<Ipv4Range> parse_range(std::string_view cidr);

class Addresses {
 public:
  // `begin_with` is any number: nodes that begin with different ones rarely meet in one range.
  Addresses(Ipv4Range range, std::uint64_t begin_with);

  // Empty when all are taken.
  [[nodiscard]] std::string take();
  // One that a pod has already; those of another range are nobody's.
  void keep(std::string_view address);
  void release(std::string_view address);

 private:
  [[nodiscard]] std::optional<std::uint32_t> index_of(std::string_view address) const;

  Ipv4Range range_;
  std::uint32_t next_;
  std::unordered_set<std::uint32_t> taken_;
};

}  // namespace vkhost::mock
