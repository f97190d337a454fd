#include "daemon/build_id.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <cstring>

#include "homeostat/version.hpp"

namespace homeostat::daemon {
namespace {

// The first object dl_iterate_phdr visits is the program itself; its PT_NOTE segments hold the id.
int find_note(dl_phdr_info* info, std::size_t, void* out) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    const auto* at = reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr);
    const auto* end = at + segment.p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof note);
      const char* name = at + sizeof note;
      const char* id = name + (note.n_namesz + 3U) / 4 * 4;
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
        auto& text = *static_cast<std::string*>(out);
        for (unsigned n = 0; n < note.n_descsz; ++n) text += fmt::format("{:02x}", static_cast<unsigned char>(id[n]));
        return 1;
      }
      at = id + (note.n_descsz + 3U) / 4 * 4;
    }
  }
  return 1;
}

}  // namespace

std::string build_id() {
  std::string id;
  dl_iterate_phdr(find_note, &id);
  return fmt::format("{}+{}", kVersion, id.empty() ? "unknown" : id);
}

}  // namespace homeostat::daemon
