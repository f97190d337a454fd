// What a TLS client must trust, and what went wrong when it does not.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <map>
#include <memory>
#include <string>

#include "core/error.hpp"

namespace homeostat::probe {

/// Contexts by CA file, read again when the file changes. Reading a bundle takes milliseconds, so it is done once.
class TlsContexts {
 public:
  /// Empty: the system's authorities.
  std::expected<std::shared_ptr<boost::asio::ssl::context>, Error> get(const std::string& ca_file);

 private:
  struct Entry {
    std::int64_t changed = 0;
    std::shared_ptr<boost::asio::ssl::context> context;
  };
  std::map<std::string, Entry> entries_;
};

/// Asks for the certificate of `name` (a host name, or an address) and sends it as server name. False: out of memory.
bool expect_server(SSL* ssl, const std::string& name);

/// Why a handshake failed, in words.
std::string handshake_words(SSL* ssl, const boost::system::error_code& error);

}  // namespace homeostat::probe
