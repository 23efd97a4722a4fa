// Whether folders that the daemon writes to can be had and are nobody else's, and files with secrets are
// not for everybody. Looks, and makes nothing. [any-thread] [may-block] on the file system
#pragma once

#include "doctor/report.hpp"

#include <filesystem>
#include <string>

namespace vkhost::doctor {

// A folder that the daemon makes when it is missing. `key` is the setting that names it.
void check_folder(Matter matter,
                  const std::filesystem::path& folder,
                  const std::string& key,
                  Report& report);

// A file that is read and holds a secret.
void check_secret_file(Matter matter, const std::filesystem::path& file, Report& report);

}  // namespace vkhost::doctor
