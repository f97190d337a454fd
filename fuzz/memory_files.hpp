// SQLite's files in memory, for everything below /memory/: opening a damaged store then costs no system call. Other
// names go to the system's files. SQLite's chance is made to repeat itself.
#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace homeostat::fuzz {

class MemoryFiles {
 public:
  /// From here on SQLite uses it; once.
  static MemoryFiles& install() {
    static MemoryFiles files;
    return files;
  }

  /// The bytes of a file, which exists from now on.
  std::string& operator[](const std::string& name) { return files_[name]; }
  /// What connections shared is gone, as after a crash.
  void crash() { shared_.clear(); }

 private:
  struct Open {
    sqlite3_file base;  // first: SQLite sees this
    std::string* bytes;
  };

  MemoryFiles() : system_(sqlite3_vfs_find(nullptr)), vfs_(*system_), methods_(make_methods()) {
    vfs_.zName = "memory";
    vfs_.szOsFile = std::max(system_->szOsFile, static_cast<int>(sizeof(Open)));
    vfs_.pAppData = this;
    vfs_.xOpen = [](sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
      MemoryFiles& self = of(vfs);
      if (!is_ours(name)) return self.system_->xOpen(self.system_, name, file, flags, out);
      file->pMethods = nullptr;
      const auto found = self.files_.find(name);
      if (found == self.files_.end()) return SQLITE_CANTOPEN;
      file->pMethods = &self.methods_;
      reinterpret_cast<Open*>(file)->bytes = &found->second;
      if (out != nullptr) *out = flags;
      return SQLITE_OK;
    };
    vfs_.xDelete = [](sqlite3_vfs* vfs, const char* name, int sync) {
      MemoryFiles& self = of(vfs);
      return is_ours(name) ? SQLITE_READONLY : self.system_->xDelete(self.system_, name, sync);
    };
    vfs_.xAccess = [](sqlite3_vfs* vfs, const char* name, int flags, int* out) {
      MemoryFiles& self = of(vfs);
      if (!is_ours(name)) return self.system_->xAccess(self.system_, name, flags, out);
      *out = self.files_.contains(name) ? 1 : 0;
      return SQLITE_OK;
    };
    vfs_.xFullPathname = [](sqlite3_vfs* vfs, const char* name, int size, char* out) {
      MemoryFiles& self = of(vfs);
      if (!is_ours(name)) return self.system_->xFullPathname(self.system_, name, size, out);
      sqlite3_snprintf(size, out, "%s", name);
      return SQLITE_OK;
    };
    vfs_.xRandomness = [](sqlite3_vfs*, int size, char* out) {
      std::memset(out, 7, static_cast<std::size_t>(size));
      return size;
    };
    sqlite3_vfs_register(&vfs_, 1);
  }

  static MemoryFiles& of(sqlite3_vfs* vfs) { return *static_cast<MemoryFiles*>(vfs->pAppData); }
  static bool is_ours(const char* name) { return name != nullptr && std::string_view(name).starts_with("/memory/"); }
  static std::string& bytes(sqlite3_file* file) { return *reinterpret_cast<Open*>(file)->bytes; }

  static sqlite3_io_methods make_methods() {
    sqlite3_io_methods m{};
    m.iVersion = 2;
    m.xClose = [](sqlite3_file*) { return SQLITE_OK; };
    m.xRead = [](sqlite3_file* file, void* into, int size, sqlite3_int64 from) {
      const std::string& all = bytes(file);
      const auto begin = std::min(static_cast<std::size_t>(from), all.size());
      const std::size_t got = all.copy(static_cast<char*>(into), static_cast<std::size_t>(size), begin);
      if (got == static_cast<std::size_t>(size)) return SQLITE_OK;
      std::memset(static_cast<char*>(into) + got, 0, static_cast<std::size_t>(size) - got);
      return SQLITE_IOERR_SHORT_READ;
    };
    m.xWrite = [](sqlite3_file*, const void*, int, sqlite3_int64) { return SQLITE_READONLY; };
    m.xTruncate = [](sqlite3_file*, sqlite3_int64) { return SQLITE_READONLY; };
    m.xSync = [](sqlite3_file*, int) { return SQLITE_OK; };
    m.xFileSize = [](sqlite3_file* file, sqlite3_int64* size) {
      *size = static_cast<sqlite3_int64>(bytes(file).size());
      return SQLITE_OK;
    };
    m.xLock = [](sqlite3_file*, int) { return SQLITE_OK; };
    m.xUnlock = [](sqlite3_file*, int) { return SQLITE_OK; };
    m.xCheckReservedLock = [](sqlite3_file*, int* out) { return *out = 0; };
    m.xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; };
    m.xSectorSize = [](sqlite3_file*) { return 4096; };
    m.xDeviceCharacteristics = [](sqlite3_file*) { return 0; };
    m.xShmMap = [](sqlite3_file*, int region, int size, int, void volatile** out) {
      auto& shared = install().shared_;
      while (shared.size() <= static_cast<std::size_t>(region)) {
        shared.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
      }
      *out = shared[static_cast<std::size_t>(region)].get();
      return SQLITE_OK;
    };
    m.xShmLock = [](sqlite3_file*, int, int, int) { return SQLITE_OK; };
    m.xShmBarrier = [](sqlite3_file*) {};
    m.xShmUnmap = [](sqlite3_file*, int) { return SQLITE_OK; };
    return m;
  }

  sqlite3_vfs* system_;
  sqlite3_vfs vfs_;
  sqlite3_io_methods methods_;
  std::map<std::string, std::string, std::less<>> files_;
  std::vector<std::unique_ptr<char[]>> shared_;
};

}  // namespace homeostat::fuzz
