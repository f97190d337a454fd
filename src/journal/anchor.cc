#include "journal/anchor.hpp"

#include <fcntl.h>

#include <algorithm>
#include <string_view>

#include "journal/bytes.hpp"
#include "journal/crc32c.hpp"
#include "journal/files.hpp"

namespace homeostat::journal {
namespace {

constexpr std::string_view kMagic = "HSANCH01";
// A slot has a page of its own: a torn sector or a lost page hits one of them only.
constexpr std::size_t kSlotBytes = 4096;

std::string_view text(const Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

std::string encode(const Anchor& anchor) {
  std::string slot(kMagic);
  put(slot, anchor.writes);
  put(slot, anchor.seq);
  slot.append(text(anchor.hash));
  put(slot, anchor.epoch);
  put(slot, anchor.start_seq);
  slot.append(text(anchor.start_hash));
  put(slot, crc32c(slot));
  return slot;
}

void take_hash(std::string_view& in, Hash& hash) {
  std::copy_n(in.begin(), hash.size(), hash.begin());
  in.remove_prefix(hash.size());
}

constexpr std::size_t kUsedBytes = 8 + 4 * 8 + 2 * 32;

std::optional<Anchor> decode(std::string_view slot) {
  if (slot.size() < kUsedBytes + 4 || !slot.starts_with(kMagic)) return std::nullopt;
  std::string_view tail = slot.substr(kUsedBytes);
  if (take<std::uint32_t>(tail) != crc32c(slot.substr(0, kUsedBytes))) return std::nullopt;
  slot.remove_prefix(kMagic.size());
  Anchor anchor;
  anchor.writes = *take<std::uint64_t>(slot);
  anchor.seq = *take<std::uint64_t>(slot);
  take_hash(slot, anchor.hash);
  anchor.epoch = *take<std::uint64_t>(slot);
  anchor.start_seq = *take<std::uint64_t>(slot);
  take_hash(slot, anchor.start_hash);
  return anchor;
}

}  // namespace

AnchorReading read_anchor(const std::filesystem::path& file) {
  AnchorReading reading;
  std::error_code missing;
  reading.exists = std::filesystem::exists(file, missing);
  if (!reading.exists) return reading;
  const std::string bytes = read_file(file, 4 * kSlotBytes).value_or("");
  for (std::size_t slot = 0; slot < 2; ++slot) {
    const std::size_t from = std::min(slot * kSlotBytes, bytes.size());
    const auto anchor = decode(std::string_view(bytes).substr(from, kSlotBytes));
    if (!anchor) ++reading.bad_slots;
    if (anchor && (!reading.newest || anchor->writes > reading.newest->writes)) reading.newest = anchor;
  }
  return reading;
}

std::expected<AnchorFile, Error> AnchorFile::open(const std::filesystem::path& file) {
  AnchorFile anchor;
  anchor.path_ = file;
  if (const auto before = read_anchor(file); before.newest) anchor.value_ = *before.newest;
  auto fd = open_file(file, O_RDWR | O_CREAT);
  if (!fd) return std::unexpected(fd.error());
  anchor.fd_ = std::move(*fd);
  if (size_of(file) < 2 * kSlotBytes && ::ftruncate(anchor.fd_.get(), 2 * kSlotBytes) != 0) {
    return fail_errno("cannot write", file);
  }
  return anchor;
}

std::expected<void, Error> AnchorFile::write(Anchor anchor) {
  // Only the used bytes are written; the rest of the slot's page stays as it was made.
  anchor.writes = value_.writes + 1;
  const auto offset = static_cast<std::int64_t>(anchor.writes % 2 * kSlotBytes);
  auto written = write_at(fd_.get(), encode(anchor), offset, path_);
  if (written) value_ = anchor;
  return written;
}

std::expected<void, Error> AnchorFile::write_both(const Anchor& anchor) {
  for (int slot = 0; slot < 2; ++slot) {
    if (auto written = write(anchor); !written) return written;
    if (auto synced = sync(); !synced) return synced;
  }
  return {};
}

std::expected<void, Error> AnchorFile::sync() {
  if (::fdatasync(fd_.get()) != 0) return fail_errno("cannot sync", path_);
  return {};
}

}  // namespace homeostat::journal
