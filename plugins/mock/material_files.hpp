// MaterialFiles: the material of each pod as the mock last got it, one file for each, so that tests see
// what arrives at a provider. It holds secrets: nothing is kept unless it is asked for, no other user reads
// the files, and a pod's file goes with its workload. [any-thread], the calls about one pod one after
// the other.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace vkhost::mock {

enum class KeepMaterial {
  None,
  Hashes,  // material_hashes/UID.json: each text replaced by its digest
  All,     // material/UID.json: the document as it came
};

class MaterialFiles {
 public:
  // `folder` is that of one back end, which exists, or empty: then nothing is kept. Removes what was
  // kept in another way before. Throws Error(FailedPrecondition) when the folder cannot be used.
  MaterialFiles(const std::string& folder, KeepMaterial keep);

  // Returns the digest of the document, or "" when nothing is kept. Throws Error(Unavailable) when it
  // was not written, then what was there before is still there, and Error(InvalidArgument) when the UID
  // cannot be the name of a file, or the document is not JSON and has to be hashed.
  [[nodiscard]] std::string put(std::string_view uid, std::string_view material) const;
  // One that cannot be removed stays until keep_only.
  void remove(std::string_view uid) const;
  // Removes the files of all other pods. Throws Error(FailedPrecondition).
  void keep_only(const std::function<bool(const std::string& uid)>& is_there) const;

 private:
  std::string folder_;  // of the files; empty: nothing is kept
  KeepMaterial keep_;
};

}  // namespace vkhost::mock
