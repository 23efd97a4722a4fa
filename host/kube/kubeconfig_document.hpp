// KubeconfigDocument: one kubeconfig file as a tree in which every fault knows its place.
//
// Used by load_kubeconfig() alone, on one thread. Values are looked up by name; what has the wrong
// type is INVALID_ARGUMENT with file, line and the entry's path ("clusters[prod].server"). yaml-cpp
// stays behind this header's .cpp and that of kubeconfig.
#pragma once

#include "base/status.hpp"

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::kube {

// A mapping of the file, with the words that messages call it by.
struct KubeconfigEntry {
  YAML::Node node;
  std::string path;
  std::filesystem::path file;
};

class KubeconfigDocument {
 public:
  // JSON when the first character is '{', else the first document of a YAML file.
  static Result<KubeconfigDocument> parse(std::filesystem::path file, const std::string& text);

  [[nodiscard]] const std::filesystem::path& file() const { return root_.file; }
  [[nodiscard]] const KubeconfigEntry& root() const { return root_; }
  // The mapping `inner` of the item called `name` in the list `list`; its node is undefined when
  // there is no such item. Two items of one name are a fault.
  [[nodiscard]] Result<KubeconfigEntry> find_named(const char* list,
                                                   const char* inner,
                                                   const std::string& name) const;

 private:
  KubeconfigEntry root_;
};

// "FILE:LINE: PATH what"
[[nodiscard]] Status kubeconfig_fault(const KubeconfigEntry& entry,
                                      const YAML::Node& at,
                                      std::string_view key,
                                      std::string_view what);

// Absent and null leave `out` alone.
Status take_text(const KubeconfigEntry& entry, const char* key, std::string& out);
Status take_flag(const KubeconfigEntry& entry, const char* key, bool& out);
Status take_list(const KubeconfigEntry& entry, const char* key, std::vector<std::string>& out);
// Base64, which is how kubeconfig holds PEM in place.
Status take_data(const KubeconfigEntry& entry, const char* key, std::string& out);
// A path, relative to the folder of the file.
Status take_path(const KubeconfigEntry& entry, const char* key, std::filesystem::path& out);
// A mapping inside; its node is undefined when it is absent.
Result<KubeconfigEntry> take_entry(const KubeconfigEntry& entry, const char* key);

}  // namespace vkhost::kube
