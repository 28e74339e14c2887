#include "image.h"

#include <elf.h>

#include <cstdio>
#include <cstring>

#include "machine.h"

namespace {
constexpr int EM_CUDA_CARDS = 190;
constexpr unsigned char NEW_ABI = 8;  // CUDA 13 keeps the architecture in other bits
constexpr int ENTRY = 0x10;           // STO_CUDA_ENTRY, in a symbol's st_other

int architectureOf(const Elf64_Ehdr& header) {
  bool newer = header.e_ident[EI_ABIVERSION] >= NEW_ABI;
  return newer ? (header.e_flags >> 8) & 0xff : header.e_flags & 0xff;
}

// A cubin runs on its own architecture and on later ones of the same generation; one with
// architecture-specific features ("a") on its own alone, which these headers do not tell apart.
bool runsOn(int made, int card) { return made / 10 == card / 10 && made <= card; }

int readCubin(const char* image, std::vector<std::string>* kernels) {
  Elf64_Ehdr header;
  memcpy(&header, image, sizeof header);
  REQUIRE(header.e_machine == EM_CUDA_CARDS && header.e_ident[EI_CLASS] == ELFCLASS64,
          INVALID_IMAGE);
  REQUIRE(runsOn(architectureOf(header), machine().settings.architecture), NO_BINARY_FOR_GPU);
  for (int i = 0; i < header.e_shnum; i++) {
    Elf64_Shdr section;
    memcpy(&section, image + header.e_shoff + size_t(i) * header.e_shentsize, sizeof section);
    if (section.sh_type != SHT_SYMTAB) {
      continue;
    }
    Elf64_Shdr names;
    memcpy(&names, image + header.e_shoff + size_t(section.sh_link) * header.e_shentsize,
           sizeof names);
    for (size_t at = 0; at < section.sh_size; at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      memcpy(&symbol, image + section.sh_offset + at, sizeof symbol);
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && (symbol.st_other & ENTRY) != 0) {
        kernels->push_back(image + names.sh_offset + symbol.st_name);
      }
    }
  }
  return SUCCESS;
}

const char* skipBlank(const char* text) { return text + strspn(text, " \t\r\n"); }

const char* skipComments(const char* text) {
  text = skipBlank(text);
  while (strncmp(text, "//", 2) == 0) {
    text = skipBlank(text + strcspn(text, "\n"));
  }
  return text;
}

// The newest PTX version that a driver translates: 12.0 reads 8.0, 13.0 reads 9.0.
int newestPtx(int driver) { return (driver / 1000 - 4) * 10 + driver % 1000 / 10; }

int readPtx(const char* text, std::vector<std::string>* kernels) {
  int major, minor, target;
  const char* start = skipComments(text);
  REQUIRE(sscanf(start, ".version %d.%d", &major, &minor) == 2, INVALID_IMAGE);
  REQUIRE(major * 10 + minor <= newestPtx(machine().settings.driver), UNSUPPORTED_PTX_VERSION);
  const char* at = strstr(start, ".target sm_");
  REQUIRE(at != nullptr && sscanf(at, ".target sm_%d", &target) == 1, INVALID_PTX);
  REQUIRE(target <= machine().settings.architecture, NO_BINARY_FOR_GPU);
  while ((at = strstr(at, ".entry")) != nullptr) {
    at = skipBlank(at + strlen(".entry"));
    kernels->emplace_back(at, strcspn(at, " \t\r\n({"));
  }
  return SUCCESS;
}
}  // namespace

int readImage(const void* image, std::vector<std::string>* kernels) {
  auto* bytes = static_cast<const char*>(image);
  return strncmp(bytes, ELFMAG, SELFMAG) == 0 ? readCubin(bytes, kernels)
                                              : readPtx(bytes, kernels);
}
