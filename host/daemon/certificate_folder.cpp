#include "daemon/certificate_folder.hpp"

#include "daemon/state_file.hpp"

namespace vkhost::daemon {

Result<Secret> CertificateFolder::read(std::string_view name) {
  VKHOST_TRY_ASSIGN(std::string text, read_state_file(folder_ / name));
  return Secret(std::move(text));
}

Status CertificateFolder::write(std::string_view name, const Secret& text) {
  VKHOST_TRY(make_private_folder(folder_));
  return write_state_file(folder_ / name, text.reveal(), Durability::PowerLoss);
}

}  // namespace vkhost::daemon
