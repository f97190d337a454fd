// The chain: hash(n) = SHA-256(hash(n-1) || header(n) || payload(n)). A changed, missing or swapped record breaks it.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "journal/entry.hpp"

struct evp_md_ctx_st;

namespace homeostat::journal {

using Hash = std::array<unsigned char, 32>;

/// The hash before the first record that ever was.
inline constexpr Hash kGenesis{};

/// One record as the store holds it: views into a row, so that a million of them are read without a copy.
struct EntryView {
  std::uint64_t seq = 0;
  std::string_view type;
  std::uint32_t version = 0;
  bool critical = false;
  std::int64_t at_ns = 0;
  std::int64_t wall_ns = 0;
  std::uint64_t generation = 0;
  std::string_view payload;
};

EntryView view(const Entry& entry);
Entry copy(const EntryView& entry);

/// Hashes records; not for several threads at once. Its buffers are reused from record to record.
class Hasher {
 public:
  Hasher();

  Hash link(const Hash& before, const EntryView& entry);
  Hash of(std::string_view bytes);

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
  std::string buffer_;
};

std::string hex(const Hash& hash);

}  // namespace homeostat::journal
