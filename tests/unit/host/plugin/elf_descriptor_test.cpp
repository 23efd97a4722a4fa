#include "plugin/elf_descriptor.hpp"

#include "plugin/file_trust.hpp"
#include "support/places.hpp"

#include <vkhost/provider.h>

#include <gmock/gmock.h>

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

namespace vkhost::plugin {
namespace {

using ::testing::HasSubstr;
using vkhost::testing::fixture_path;

std::string bytes_of(const std::string& fixture) {
  std::ifstream file(fixture_path(fixture), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Result<PluginHead> read_head(const std::string& bytes) {
  const FileDescriptor file(memfd_create("plugin", MFD_CLOEXEC));
  EXPECT_EQ(write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return read_plugin_head(file.get(), bytes.size());
}

Elf64_Ehdr header_of(const std::string& bytes) {
  Elf64_Ehdr header{};
  std::memcpy(&header, bytes.data(), sizeof(header));
  return header;
}

void put_header(std::string& bytes, const Elf64_Ehdr& header) {
  std::memcpy(bytes.data(), &header, sizeof(header));
}

TEST(PluginHead, IsReadFromTheFile) {
  const Result<PluginHead> head = read_head(bytes_of("minimal"));

  ASSERT_TRUE(head.is_ok()) << head.status().message();
  EXPECT_EQ(head->magic, VKP_MAGIC);
  EXPECT_EQ(head->abi_major, static_cast<std::uint32_t>(VKP_ABI_MAJOR));
  EXPECT_EQ(head->abi_minor, static_cast<std::uint32_t>(VKP_ABI_MINOR));
  EXPECT_EQ(head->table_size, sizeof(vkp_plugin_table));
  EXPECT_TRUE(check_plugin_head(*head).is_ok());
}

TEST(PluginHead, IsRefusedByNameOfTheDefect) {
  struct Case {
    const char* fixture;
    const char* sentence;
  };
  for (const Case& at :
       {Case{"older_minor", "is built for provider ABI 0.0, this vkhost speaks 0.1"},
        Case{"newer_minor", "is built for provider ABI 0.2, this vkhost speaks 0.1"},
        Case{"wrong_major", "is built for provider ABI 1.1, this vkhost speaks 0.1"},
        Case{"wrong_magic", "magic number"}, Case{"short_table", "set size to sizeof"},
        Case{"long_table", "claims"}, Case{"no_symbol", "exports no table vkp_plugin"},
        Case{"relocated_head", "relocation"}}) {
    const Result<PluginHead> head = read_head(bytes_of(at.fixture));
    const Status status = head.is_ok() ? check_plugin_head(*head) : head.status();
    EXPECT_FALSE(status.is_ok()) << at.fixture;
    EXPECT_THAT(status.message(), HasSubstr(at.sentence)) << at.fixture;
  }
}

TEST(PluginHead, IsRefusedInAFileThatIsNoLibrary) {
  EXPECT_THAT(read_head("").status().message(), HasSubstr("not an ELF"));
  EXPECT_THAT(read_head("#!/bin/sh\n").status().message(), HasSubstr("not an ELF"));
  EXPECT_THAT(read_head(std::string(4096, '\0')).status().message(), HasSubstr("not an ELF"));
}

TEST(PluginHead, IsRefusedInAFileOfAnotherMachine) {
  const std::string good = bytes_of("minimal");
  for (const int change : {EI_CLASS, EI_DATA}) {
    std::string bytes = good;
    bytes[static_cast<std::size_t>(change)] ^= 3;
    EXPECT_THAT(read_head(bytes).status().message(), HasSubstr("another machine"));
  }
  std::string bytes = good;
  Elf64_Ehdr header = header_of(bytes);
  header.e_machine = EM_SPARCV9;
  put_header(bytes, header);
  EXPECT_THAT(read_head(bytes).status().message(), HasSubstr("another machine"));
}

TEST(PluginHead, IsRefusedInAnExecutable) {
  std::string bytes = bytes_of("minimal");
  Elf64_Ehdr header = header_of(bytes);
  header.e_type = ET_EXEC;
  put_header(bytes, header);

  EXPECT_THAT(read_head(bytes).status().message(), HasSubstr("not a shared object"));
}

TEST(PluginHead, IsRefusedInAFileThatWasCutAnywhere) {
  const std::string good = bytes_of("minimal");
  for (std::size_t size = 0; size < good.size(); size += 97) {
    EXPECT_FALSE(read_head(good.substr(0, size)).is_ok()) << "cut at " << size;
  }
  EXPECT_THAT(read_head(good.substr(0, good.size() - 1)).status().message(),
              HasSubstr("truncated"));
}

TEST(PluginHead, SurvivesAnyDamage) {
  // Reads stay in the file and loops end: the sanitizers and the test's time limit are the judges.
  const std::string good = bytes_of("minimal");
  std::mt19937 random(20260101);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = good;
    for (int flips = 0; flips < 8; ++flips) {
      // Mostly where the structure is: headers and the dynamic tables behind them.
      const std::size_t range = flips < 4 ? 1024 : bytes.size();
      bytes[random() % range] = static_cast<char>(random());
    }
    static_cast<void>(read_head(bytes));
  }
}

TEST(PluginHead, SurvivesHeadersThatPointEverywhere) {
  const std::string good = bytes_of("minimal");
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{good.size() - 1},
        std::uint64_t{good.size()}, ~std::uint64_t{0}, ~std::uint64_t{0} - 55}) {
    std::string bytes = good;
    Elf64_Ehdr header = header_of(bytes);
    header.e_phoff = offset;
    header.e_phnum = 0xffff;
    put_header(bytes, header);
    EXPECT_FALSE(read_head(bytes).is_ok());
  }
}

}  // namespace
}  // namespace vkhost::plugin
