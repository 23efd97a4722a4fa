#include "daemon/certificate_folder.hpp"

#include "support/test_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace vkhost::daemon {
namespace {

namespace fs = std::filesystem;

TEST(CertificateFolder, KeepsWhatNobodyElseMayRead) {
  const testing::TestFolder folder;
  CertificateFolder pki(folder.path() / "state" / "pki");

  ASSERT_TRUE(pki.write("client.pem", Secret("key")).is_ok());

  EXPECT_EQ(pki.read("client.pem")->reveal(), "key");
  EXPECT_EQ(fs::status(folder.path() / "state/pki").permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(folder.path() / "state/pki/client.pem").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST(CertificateFolder, SaysThatThereIsNothing) {
  const testing::TestFolder folder;

  EXPECT_EQ(CertificateFolder(folder.path() / "none").read("client.pem").status().code(),
            StatusCode::NotFound);
}

}  // namespace
}  // namespace vkhost::daemon
