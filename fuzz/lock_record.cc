// The line in an instance's lock file: read back exactly, or not at all.
#include <array>
#include <string>

#include "kit.hpp"
#include "os/lock_file.hpp"

namespace homeostat::fuzz {

void run(std::string_view input) {
  const auto record = os::parse_record(input);
  if (!record || input.size() > os::kLockFileBytes) return;
  std::array<char, os::kLockFileBytes> room{};
  const std::string_view again(room.data(), os::write_record(room, record->holder, record->tag));
  require(again.ends_with('\n') && again.find('\n') == again.size() - 1, "one whole line");
  const auto same = os::parse_record(again);
  require(same && same->holder == record->holder, "the holder is read back");
  require(record->tag.starts_with(same->tag), "the tag is read back, or cut");
}

}  // namespace homeostat::fuzz
