// CertificateFolder: the client certificate and keys of a node as files in a private folder.
#pragma once

#include "kube/client_certificate.hpp"

#include <filesystem>
#include <string_view>
#include <utility>

namespace vkhost::daemon {

class CertificateFolder final : public kube::CertificateStore {
 public:
  explicit CertificateFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<Secret> read(std::string_view name) override;
  // Makes the folder when there is none.
  Status write(std::string_view name, const Secret& text) override;

 private:
  const std::filesystem::path folder_;
};

}  // namespace vkhost::daemon
