// Disk space put aside for the day the disk is full: what matters most must still be recorded then.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>

#include "core/error.hpp"

namespace homeostat::journal {

class Reserve {
 public:
  Reserve(std::filesystem::path file, std::int64_t bytes) : file_(std::move(file)), bytes_(bytes) {}

  /// Takes the space, unless it is taken already.
  std::expected<void, Error> take();
  /// Gives the space back to the file system. False: there was none.
  bool release();
  bool taken() const { return taken_; }

 private:
  std::filesystem::path file_;
  std::int64_t bytes_;
  bool taken_ = false;
};

}  // namespace homeostat::journal
