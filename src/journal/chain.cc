#include "journal/chain.hpp"

#include <openssl/evp.h>

#include <cstdlib>

#include "journal/bytes.hpp"

namespace homeostat::journal {
namespace {

// Fetched once: looking the algorithm up for each record costs more than hashing it.
const EVP_MD* sha256() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

}  // namespace

EntryView view(const Entry& entry) {
  return {.seq = entry.seq,
          .type = entry.type,
          .version = entry.version,
          .critical = entry.critical,
          .at_ns = entry.at.time_since_epoch().count(),
          .wall_ns = entry.wall_ns,
          .generation = entry.generation,
          .payload = entry.payload};
}

Entry copy(const EntryView& entry) {
  return {.seq = entry.seq,
          .type = std::string(entry.type),
          .version = entry.version,
          .critical = entry.critical,
          .at = Instant(Duration(entry.at_ns)),
          .wall_ns = entry.wall_ns,
          .generation = entry.generation,
          .payload = std::string(entry.payload)};
}

void Hasher::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Hasher::Hasher() : context_(EVP_MD_CTX_new()) {}

Hash Hasher::link(const Hash& before, const EntryView& entry) {
  buffer_.assign(reinterpret_cast<const char*>(before.data()), before.size());
  put(buffer_, entry.seq);
  put(buffer_, static_cast<std::uint16_t>(entry.type.size()));
  buffer_.append(entry.type);
  put(buffer_, entry.version);
  put(buffer_, static_cast<std::uint8_t>(entry.critical ? 1 : 0));
  put(buffer_, entry.at_ns);
  put(buffer_, entry.wall_ns);
  put(buffer_, entry.generation);
  put(buffer_, static_cast<std::uint32_t>(entry.payload.size()));
  buffer_.append(entry.payload);
  return of(buffer_);
}

Hash Hasher::of(std::string_view bytes) {
  Hash hash{};
  const bool done = context_ != nullptr && sha256() != nullptr &&
                    EVP_DigestInit_ex2(context_.get(), sha256(), nullptr) == 1 &&
                    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1 &&
                    EVP_DigestFinal_ex(context_.get(), hash.data(), nullptr) == 1;
  // A hash that cannot be computed must never look like one: without SHA-256 there is no journal.
  if (!done) std::abort();
  return hash;
}

std::string hex(const Hash& hash) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : hash) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

}  // namespace homeostat::journal
