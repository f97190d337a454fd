#include "notify/page.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace homeostat::notify {

Page page_of(const std::function<std::string(const char* variable)>& environment, std::string host) {
  return {environment("HOMEOSTAT_SERVICE"),    environment("HOMEOSTAT_SUMMARY"), environment("HOMEOSTAT_INCIDENT"),
          environment("HOMEOSTAT_ESCALATION"), environment("HOMEOSTAT_ATTEMPT"), std::move(host),
          environment("HOMEOSTAT_KEY")};
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

std::string deduplication_key(const Page& page) {
  // The number alone would come again after the state folder has been begun anew.
  std::string all;
  for (const std::string* part : {&page.host, &page.escalation, &page.incident, &page.service, &page.summary}) {
    all += *part + '\0';
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(all.data(), all.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::string key;
  for (std::size_t i = 0; i < 16; ++i) key += fmt::format("{:02x}", digest[i]);
  return key;
}

}  // namespace homeostat::notify
