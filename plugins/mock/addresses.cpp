#include "addresses.hpp"

#include <charconv>

namespace vkhost::mock {
namespace {

// A decimal number of at most `most` at the start of `text`, which loses it.
std::optional<std::uint32_t> take_number(std::string_view& text, std::uint32_t most) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number > most) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<std::uint32_t> take_address(std::string_view& text) {
  std::uint32_t address = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (text.empty() || text.front() != '.') {
        return std::nullopt;
      }
      text.remove_prefix(1);
    }
    const auto number = take_number(text, 255);
    if (!number) {
      return std::nullopt;
    }
    address = (address << 8U) | *number;
  }
  return address;
}

std::string write_address(std::uint32_t address) {
  return std::to_string(address >> 24U) + '.' + std::to_string((address >> 16U) & 255U) + '.' +
         std::to_string((address >> 8U) & 255U) + '.' + std::to_string(address & 255U);
}

}  // namespace

std::optional<Ipv4Range> parse_range(std::string_view cidr) {
  const auto address = take_address(cidr);
  if (!address || cidr.empty() || cidr.front() != '/') {
    return std::nullopt;
  }
  cidr.remove_prefix(1);
  const auto bits = take_number(cidr, 30);
  if (!bits || *bits < 8 || !cidr.empty()) {
    return std::nullopt;
  }
  const std::uint32_t size = 1U << (32U - *bits);
  return Ipv4Range{*address & ~(size - 1), size};
}

Addresses::Addresses(Ipv4Range range, std::uint64_t begin_with)
    : range_(range), next_(static_cast<std::uint32_t>(begin_with % (range.size - 2)) + 1) {}

std::string Addresses::take() {
  const std::uint32_t usable = range_.size - 2;  // without those of the network and of broadcast
  if (taken_.size() >= usable) {
    return {};
  }
  while (!taken_.insert(next_).second) {
    next_ = next_ % usable + 1;
  }
  const std::string address = write_address(range_.first + next_);
  next_ = next_ % usable + 1;
  return address;
}

void Addresses::keep(std::string_view address) {
  if (const auto index = index_of(address)) {
    taken_.insert(*index);
  }
}

void Addresses::release(std::string_view address) {
  if (const auto index = index_of(address)) {
    taken_.erase(*index);
  }
}

std::optional<std::uint32_t> Addresses::index_of(std::string_view address) const {
  const auto number = take_address(address);
  if (!number || !address.empty() || *number <= range_.first ||
      *number - range_.first >= range_.size - 1) {
    return std::nullopt;
  }
  return *number - range_.first;
}

}  // namespace vkhost::mock
