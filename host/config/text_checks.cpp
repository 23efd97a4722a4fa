// Rules of the Kubernetes API for names, labels, taints and quantities, checked here so that a typo
// is an error with a line number and not a refusal by the API server minutes later.
#include "config/key_type.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost::config {
namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_alnum(char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }

// RFC 1123 subdomain: labels of lower-case letters, digits and '-', joined by dots.
bool is_subdomain(std::string_view text) {
  if (text.empty() || text.size() > 253) {
    return false;
  }
  while (true) {
    const std::string_view label = text.substr(0, text.find('.'));
    const bool good = !label.empty() && is_lower_or_digit(label.front()) &&
                      is_lower_or_digit(label.back()) &&
                      std::all_of(label.begin(), label.end(),
                                  [](char c) { return is_lower_or_digit(c) || c == '-'; });
    if (!good) {
      return false;
    }
    if (label.size() == text.size()) {
      return true;
    }
    text.remove_prefix(label.size() + 1);
  }
}

// Up to 63 letters, digits, '-', '_' and '.', a letter or digit at both ends.
bool is_label_word(std::string_view text) {
  return !text.empty() && text.size() <= 63 && is_alnum(text.front()) && is_alnum(text.back()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

// Amounts of resources are never negative.
bool is_quantity(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  const auto number_end = text.find_first_not_of("0123456789.");
  const std::string_view number = text.substr(0, number_end);
  const bool has_digit = number.find_first_of("0123456789") != std::string_view::npos;
  if (!has_digit || std::count(number.begin(), number.end(), '.') > 1 || number.size() > 40) {
    return false;
  }
  const std::string_view suffix =
      number_end == std::string_view::npos ? std::string_view() : text.substr(number_end);
  for (const std::string_view known :
       {"", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}) {
    if (suffix == known) {
      return true;
    }
  }
  // Decimal exponent: e3, E-3.
  if (suffix.front() != 'e' && suffix.front() != 'E') {
    return false;
  }
  std::string_view exponent = suffix.substr(1);
  if (exponent.starts_with('+') || exponent.starts_with('-')) {
    exponent.remove_prefix(1);
  }
  return !exponent.empty() && exponent.size() <= 3 &&
         exponent.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_ip(int family, std::string_view text) {
  in6_addr any{};  // room for both
  return ::inet_pton(family, std::string(text).c_str(), &any) == 1;
}

// As DNS takes it; no pattern of Kubernetes, where letter case counts.
bool is_host_name(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return is_subdomain(lower);
}

}  // namespace

std::optional<std::string> check_node_name(std::string_view text) {
  return is_subdomain(text)
             ? std::nullopt
             : std::optional<std::string>(
                   "a node name (lower-case letters, digits, '-' and '.', at most 253)");
}

std::optional<std::string> check_label_key(std::string_view text) {
  const auto slash = text.find('/');
  const bool good = slash == std::string_view::npos ? is_label_word(text)
                                                    : is_subdomain(text.substr(0, slash)) &&
                                                          is_label_word(text.substr(slash + 1));
  return good ? std::nullopt
              : std::optional<std::string>(
                    "a Kubernetes key (\"name\" or \"example.com/name\", at most 63 letters)");
}

std::optional<std::string> check_label_value(std::string_view text) {
  return text.empty() || is_label_word(text)
             ? std::nullopt
             : std::optional<std::string>(
                   "a label value (at most 63 letters, digits, '-', '_' and '.')");
}

std::optional<std::string> check_quantity(std::string_view text) {
  return is_quantity(text)
             ? std::nullopt
             : std::optional<std::string>("a quantity such as \"4\", \"500m\" or \"16Gi\"");
}

bool is_whole_quantity(std::string_view text) {
  return is_quantity(text) && text.find('.') == std::string_view::npos &&
         text.find("e-") == std::string_view::npos && text.find("E-") == std::string_view::npos &&
         std::string_view("num").find(text.back()) == std::string_view::npos;
}

bool is_counted_resource(std::string_view name) {
  constexpr std::string_view kKubernetes = "kubernetes.io";
  const std::string_view domain = name.substr(0, name.find('/'));
  const bool is_own =
      domain == kKubernetes ||
      (domain.ends_with(kKubernetes) && domain[domain.size() - kKubernetes.size() - 1] == '.');
  return name == "pods" || (domain.size() < name.size() && !is_own);
}

std::optional<std::string> check_advertised_address(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) {
    const bool good =
        text.empty() || is_ip(AF_INET, text) || is_ip(AF_INET6, text) || is_host_name(text);
    return good ? std::nullopt
                : std::optional<std::string>("an address such as \"10.0.0.7\" or \"fd00::7\"");
  }
  const std::string_view first = text.substr(0, comma);
  std::string_view second = text.substr(comma + 1);
  second.remove_prefix(std::min(second.find_first_not_of(' '), second.size()));
  const bool good = (is_ip(AF_INET, first) && is_ip(AF_INET6, second)) ||
                    (is_ip(AF_INET6, first) && is_ip(AF_INET, second));
  return good ? std::nullopt
              : std::optional<std::string>(
                    "one address of each family, such as \"10.0.0.7,fd00::7\"");
}

std::optional<std::string> check_taint_effect(std::string_view text) {
  return text == "NoSchedule" || text == "PreferNoSchedule" || text == "NoExecute"
             ? std::nullopt
             : std::optional<std::string>("\"NoSchedule\", \"PreferNoSchedule\" or \"NoExecute\"");
}

std::optional<std::string> check_domain(std::string_view text) {
  return is_subdomain(text) ? std::nullopt
                            : std::optional<std::string>("a domain such as \"cluster.local\"");
}

std::optional<std::string> check_sha256(std::string_view text) {
  const bool good =
      text.empty() || (text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
                         return std::isxdigit(static_cast<unsigned char>(c)) != 0;
                       }));
  return good ? std::nullopt
              : std::optional<std::string>("a SHA-256 of 64 hexadecimal digits (see sha256sum)");
}

std::optional<std::string> check_http_url(std::string_view text) {
  const bool good =
      text.empty() || ((text.starts_with("http://") || text.starts_with("https://")) &&
                       text.find_first_of(" \t\r\n\"") == std::string_view::npos &&
                       text.size() > text.find("//") + 2);
  return good ? std::nullopt
              : std::optional<std::string>("an address such as \"https://host:port/path\"");
}

}  // namespace vkhost::config
