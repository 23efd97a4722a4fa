#include "plugin/elf_descriptor.hpp"

#include <vkhost/provider.h>

#include <elf.h>
#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace vkhost::plugin {
namespace {

constexpr std::string_view kSymbol = "vkp_plugin";
constexpr std::string_view kSymbolWithEnd("vkp_plugin\0", 11);  // as it stands in the string table
constexpr std::size_t kHeadBytes = 24;
static_assert(offsetof(vkp_plugin_table, magic) == 0 && offsetof(vkp_plugin_table, size) == 16);

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr Elf64_Half kMachine = EM_RISCV;
#elif defined(__powerpc64__)
constexpr Elf64_Half kMachine = EM_PPC64;
#elif defined(__s390x__)
constexpr Elf64_Half kMachine = EM_S390;
#else
#error "name this machine's ELF number here"
#endif
constexpr unsigned char kByteOrder =
    std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

Status broken(const std::string& what) {
  return invalid_argument(what + "; install the file again, built for this machine");
}

// Whether [begin, begin + size) lies below `limit`, without overflow.
bool lies_within(std::uint64_t begin, std::uint64_t size, std::uint64_t limit) {
  return begin <= limit && size <= limit - begin;
}

// The parts of the dynamic section that lead to a symbol and to its relocations; 0 where absent.
struct Dynamic {
  std::uint64_t symbols = 0, names = 0, names_size = 0, gnu_hash = 0, hash = 0;
  std::uint64_t rela = 0, rela_size = 0, rel = 0, rel_size = 0, relr = 0, relr_size = 0;
  std::uint64_t plt = 0, plt_size = 0, plt_kind = DT_RELA;
};

class ElfFile {
 public:
  ElfFile(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}

  Status open() {
    VKHOST_TRY(read_header());
    VKHOST_TRY(read_segments());
    return read_dynamic();
  }

  Result<PluginHead> plugin_head() {
    VKHOST_TRY_ASSIGN(const Elf64_Sym symbol, find_symbol());
    std::array<std::byte, kHeadBytes> bytes{};
    if (symbol.st_size < kHeadBytes || !read_memory(symbol.st_value, bytes.data(), bytes.size())) {
      return broken("its symbol vkp_plugin is not an initialised table");
    }
    VKHOST_TRY_ASSIGN(const bool relocated, is_relocated(symbol.st_value));
    if (relocated) {
      return invalid_argument(
          "magic, version or size of its table vkp_plugin are filled in by a relocation, so they "
          "cannot be read before its code runs; define them as constants");
    }
    PluginHead head;
    std::memcpy(&head.magic, bytes.data(), 8);
    std::memcpy(&head.abi_major, bytes.data() + 8, 4);
    std::memcpy(&head.abi_minor, bytes.data() + 12, 4);
    std::memcpy(&head.table_size, bytes.data() + 16, 8);
    if (head.magic == VKP_MAGIC && head.table_size > symbol.st_size) {
      return broken("its table vkp_plugin claims " + std::to_string(head.table_size) +
                    " bytes but has " + std::to_string(symbol.st_size));
    }
    return head;
  }

 private:
  // ---- Bytes ----

  bool read_file(std::uint64_t offset, void* into, std::size_t size) const {
    if (!lies_within(offset, size, size_)) {
      return false;
    }
    auto* to = static_cast<char*>(into);
    while (size > 0) {
      const ssize_t got = pread(descriptor_, to, size, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got <= 0) {
        return false;
      }
      const auto count = static_cast<std::size_t>(got);
      to += count;
      offset += count;
      size -= count;
    }
    return true;
  }

  // Reads from an address as the loaded library would have it; only what stands in the file.
  bool read_memory(std::uint64_t address, void* into, std::size_t size) const {
    for (const Elf64_Phdr& segment : loads_) {
      if (address >= segment.p_vaddr &&
          lies_within(address - segment.p_vaddr, size, segment.p_filesz)) {
        return read_file(segment.p_offset + (address - segment.p_vaddr), into, size);
      }
    }
    return false;
  }

  template <typename T>
  bool read_memory(std::uint64_t address, T& into) const {
    return read_memory(address, &into, sizeof(T));
  }

  // ---- Structure ----

  Status read_header() {
    Elf64_Ehdr header{};
    if (!read_file(0, &header, sizeof(header)) ||
        std::memcmp(&header.e_ident[0], ELFMAG, SELFMAG) != 0) {
      return broken("it is not an ELF shared object");
    }
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != kByteOrder ||
        header.e_machine != kMachine) {
      return broken("it is built for another machine (ELF class " +
                    std::to_string(header.e_ident[EI_CLASS]) + ", byte order " +
                    std::to_string(header.e_ident[EI_DATA]) + ", machine " +
                    std::to_string(header.e_machine) + ")");
    }
    if (header.e_type != ET_DYN || header.e_phentsize != sizeof(Elf64_Phdr)) {
      return broken("it is an ELF file, but not a shared object");
    }
    // The section headers stand at the end of the file: the first to miss when a copy broke off.
    const std::uint64_t sections = std::uint64_t{header.e_shnum} * header.e_shentsize;
    if (header.e_shoff != 0 && !lies_within(header.e_shoff, sections, size_)) {
      return truncated();
    }
    segments_.resize(header.e_phnum);
    if (!read_file(header.e_phoff, segments_.data(), segments_.size() * sizeof(Elf64_Phdr))) {
      return truncated();
    }
    return Status::ok();
  }

  [[nodiscard]] Status truncated() const {
    return broken("it is truncated: only " + std::to_string(size_) + " bytes are there");
  }

  Status read_segments() {
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type == PT_LOAD) {
        // A segment that reaches beyond the file would raise SIGBUS once loaded.
        if (!lies_within(segment.p_offset, segment.p_filesz, size_)) {
          return truncated();
        }
        loads_.push_back(segment);
      }
    }
    return Status::ok();
  }

  Status read_dynamic() {
    const auto segment = std::find_if(segments_.begin(), segments_.end(),
                                      [](const auto& it) { return it.p_type == PT_DYNAMIC; });
    if (segment == segments_.end()) {
      return broken("it has no dynamic section");
    }
    for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= segment->p_filesz;
         at += sizeof(Elf64_Dyn)) {
      Elf64_Dyn entry{};
      if (!read_memory(segment->p_vaddr + at, entry)) {
        return broken("its dynamic section lies outside the file");
      }
      if (entry.d_tag == DT_NULL) {
        break;
      }
      note(entry);
    }
    return Status::ok();
  }

  void note(const Elf64_Dyn& entry) {
    constexpr Elf64_Sxword kRelr = 36;
    constexpr Elf64_Sxword kRelrSize = 35;
    const std::uint64_t value = entry.d_un.d_val;
    switch (entry.d_tag) {
      case DT_SYMTAB:
        dynamic_.symbols = value;
        break;
      case DT_STRTAB:
        dynamic_.names = value;
        break;
      case DT_STRSZ:
        dynamic_.names_size = value;
        break;
      case DT_GNU_HASH:
        dynamic_.gnu_hash = value;
        break;
      case DT_HASH:
        dynamic_.hash = value;
        break;
      case DT_RELA:
        dynamic_.rela = value;
        break;
      case DT_RELASZ:
        dynamic_.rela_size = value;
        break;
      case DT_REL:
        dynamic_.rel = value;
        break;
      case DT_RELSZ:
        dynamic_.rel_size = value;
        break;
      case kRelr:
        dynamic_.relr = value;
        break;
      case kRelrSize:
        dynamic_.relr_size = value;
        break;
      case DT_JMPREL:
        dynamic_.plt = value;
        break;
      case DT_PLTRELSZ:
        dynamic_.plt_size = value;
        break;
      case DT_PLTREL:
        dynamic_.plt_kind = value;
        break;
      default:
        break;
    }
  }

  // ---- The symbol ----

  [[nodiscard]] Result<Elf64_Sym> find_symbol() const {
    const auto found = dynamic_.gnu_hash != 0 ? find_by_gnu_hash() : find_by_hash();
    if (!found) {
      return invalid_argument(
          "it exports no table vkp_plugin, so it is not a vkhost plugin (or its entry is hidden: "
          "link it with the version script of the SDK)");
    }
    return *found;
  }

  // The entry `index` of the symbol table, when it is a definition with the wanted name.
  [[nodiscard]] std::optional<Elf64_Sym> symbol_if_wanted(std::uint32_t index) const {
    Elf64_Sym symbol{};
    std::array<char, kSymbol.size() + 1> name{};
    if (!read_memory(dynamic_.symbols + std::uint64_t{index} * sizeof(Elf64_Sym), symbol) ||
        symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT ||
        !lies_within(symbol.st_name, name.size(), dynamic_.names_size) ||
        !read_memory(dynamic_.names + symbol.st_name, name) ||
        std::string_view(name.data(), name.size()) != kSymbolWithEnd) {
      return std::nullopt;
    }
    return symbol;
  }

  // GNU: buckets of chains of hashes, whose lowest bit marks the last one.
  [[nodiscard]] std::optional<Elf64_Sym> find_by_gnu_hash() const {
    std::uint32_t hash = 5381;
    for (const char letter : kSymbol) {
      hash = hash * 33 + static_cast<unsigned char>(letter);
    }
    std::array<std::uint32_t, 4> head{};  // buckets, first hashed symbol, bloom words, bloom shift
    if (!read_memory(dynamic_.gnu_hash, head) || head[0] == 0) {
      return std::nullopt;
    }
    const std::uint64_t buckets = dynamic_.gnu_hash + 16 + std::uint64_t{head[2]} * 8;
    const std::uint64_t chains = buckets + std::uint64_t{head[0]} * 4;
    std::uint32_t index = 0;
    if (!read_memory(buckets + std::uint64_t{hash % head[0]} * 4, index) || index < head[1]) {
      return std::nullopt;
    }
    std::uint32_t entry = 0;
    while (read_memory(chains + std::uint64_t{index - head[1]} * 4, entry)) {
      if ((entry | 1U) == (hash | 1U)) {
        if (const auto symbol = symbol_if_wanted(index)) {
          return symbol;
        }
      }
      if ((entry & 1U) != 0 || ++index == 0) {
        break;
      }
    }
    return std::nullopt;
  }

  // System V: buckets, then one link for each symbol.
  [[nodiscard]] std::optional<Elf64_Sym> find_by_hash() const {
    std::uint32_t hash = 0;
    for (const char letter : kSymbol) {
      hash = (hash << 4U) + static_cast<unsigned char>(letter);
      const std::uint32_t high = hash & 0xF0000000U;
      hash = (hash ^ (high >> 24U)) & ~high;
    }
    std::array<std::uint32_t, 2> head{};  // buckets, links
    if (dynamic_.hash == 0 || !read_memory(dynamic_.hash, head) || head[0] == 0) {
      return std::nullopt;
    }
    std::uint64_t at = dynamic_.hash + 8 + std::uint64_t{hash % head[0]} * 4;
    const std::uint64_t links = dynamic_.hash + 8 + std::uint64_t{head[0]} * 4;
    for (std::uint32_t steps = 0; steps < head[1]; ++steps) {  // a ring ends here
      std::uint32_t index = 0;
      if (!read_memory(at, index) || index == 0) {
        break;
      }
      if (const auto symbol = symbol_if_wanted(index)) {
        return symbol;
      }
      at = links + std::uint64_t{index} * 4;
    }
    return std::nullopt;
  }

  // ---- Relocations ----

  // Whether any relocation writes into the head of the table at `address`.
  [[nodiscard]] Result<bool> is_relocated(std::uint64_t address) const {
    const std::uint64_t plt_entry =
        dynamic_.plt_kind == DT_REL ? sizeof(Elf64_Rel) : sizeof(Elf64_Rela);
    struct Table {
      std::uint64_t at, size, entry;
    };
    for (const Table& table : {Table{dynamic_.rela, dynamic_.rela_size, sizeof(Elf64_Rela)},
                               Table{dynamic_.rel, dynamic_.rel_size, sizeof(Elf64_Rel)},
                               Table{dynamic_.plt, dynamic_.plt_size, plt_entry}}) {
      VKHOST_TRY_ASSIGN(const auto bytes, read_table(table.at, table.size));
      for (std::size_t at = 0; at + table.entry <= bytes.size(); at += table.entry) {
        std::uint64_t target = 0;  // r_offset is the first member of both kinds
        std::memcpy(&target, &bytes[at], sizeof(target));
        if (hits(target, address)) {
          return true;
        }
      }
    }
    return is_relocated_relatively(address);
  }

  // SHT_RELR: an even word is an address, an odd one a bitmap of the 63 words after it.
  [[nodiscard]] Result<bool> is_relocated_relatively(std::uint64_t address) const {
    VKHOST_TRY_ASSIGN(const auto bytes, read_table(dynamic_.relr, dynamic_.relr_size));
    std::uint64_t next = 0;
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, &bytes[at], sizeof(word));
      if ((word & 1U) == 0) {
        if (hits(word, address)) {
          return true;
        }
        next = word + 8;
        continue;
      }
      for (std::uint64_t bit = 0; bit < 63; ++bit) {
        if (((word >> (bit + 1)) & 1U) != 0 && hits(next + bit * 8, address)) {
          return true;
        }
      }
      next += std::uint64_t{63} * 8;
    }
    return false;
  }

  static bool hits(std::uint64_t target, std::uint64_t address) {
    // A relocation writes eight bytes from `target` on.
    return target < address + kHeadBytes && target + 8 > address;
  }

  [[nodiscard]] Result<std::vector<char>> read_table(std::uint64_t address,
                                                     std::uint64_t size) const {
    std::vector<char> bytes;
    if (address == 0 || size == 0) {
      return bytes;
    }
    if (size > size_) {
      return broken("a table of its relocations is larger than the file");
    }
    bytes.resize(size);
    if (!read_memory(address, bytes.data(), bytes.size())) {
      return broken("a table of its relocations lies outside the file");
    }
    return bytes;
  }

  int descriptor_;
  std::uint64_t size_;
  std::vector<Elf64_Phdr> segments_;
  std::vector<Elf64_Phdr> loads_;
  Dynamic dynamic_;
};

std::string version_text(std::uint32_t major, std::uint32_t minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

}  // namespace

Result<PluginHead> read_plugin_head(int descriptor, std::uint64_t file_size) {
  ElfFile file(descriptor, file_size);
  VKHOST_TRY(file.open());
  return file.plugin_head();
}

std::string host_abi_version() { return version_text(VKP_ABI_MAJOR, VKP_ABI_MINOR); }

Status check_plugin_head(const PluginHead& head) {
  if (head.magic != VKP_MAGIC) {
    return invalid_argument(
        "its symbol vkp_plugin does not begin with the magic number of a "
        "vkhost plugin; build it with <vkhost/provider.h>");
  }
  const bool draft = VKP_ABI_MAJOR == 0;
  if (head.abi_major != VKP_ABI_MAJOR || (draft && head.abi_minor != VKP_ABI_MINOR)) {
    return failed_precondition(
        "it is built for provider ABI " + version_text(head.abi_major, head.abi_minor) +
        ", this vkhost speaks " + host_abi_version() +
        (draft ? " (a draft: both must be the same)" : "") +
        "; install the plugin that belongs to this vkhost, or build it against its SDK");
  }
  // Later minor versions append; what was there first is required.
  const std::size_t required = offsetof(vkp_plugin_table, get_extension);
  if (head.table_size < required) {
    return invalid_argument("its table vkp_plugin has " + std::to_string(head.table_size) +
                            " bytes, the functions that every plugin needs take " +
                            std::to_string(required) + "; set size to sizeof(vkp_plugin_table)");
  }
  return Status::ok();
}

}  // namespace vkhost::plugin
