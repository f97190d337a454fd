#include "journal/reserve.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "journal/files.hpp"

namespace homeostat::journal {

std::expected<void, Error> Reserve::take() {
  if (taken_) return {};
  if (bytes_ > 0) {
    auto fd = open_file(file_, O_RDWR | O_CREAT);
    if (!fd) return std::unexpected(fd.error());
    if (const int code = ::posix_fallocate(fd->get(), 0, bytes_); code != 0) {
      // A part of a reserve helps nobody and fills the disk further.
      ::unlink(file_.c_str());
      errno = code;
      return fail_errno("cannot reserve space in", file_);
    }
  }
  taken_ = true;
  return {};
}

bool Reserve::release() {
  const bool was_taken = taken_ && bytes_ > 0;
  taken_ = false;
  return ::unlink(file_.c_str()) == 0 && was_taken;
}

}  // namespace homeostat::journal
