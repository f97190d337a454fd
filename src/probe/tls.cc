#include "probe/tls.hpp"

#include <fmt/core.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "probe/address.hpp"

namespace homeostat::probe {

namespace ssl = boost::asio::ssl;

std::expected<std::shared_ptr<ssl::context>, Error> TlsContexts::get(const std::string& ca_file) {
  std::int64_t changed = 0;
  if (!ca_file.empty()) {
    struct stat info{};
    if (::stat(ca_file.c_str(), &info) != 0) {
      return fail(fmt::format("cannot read ca_file {}: {}", ca_file, std::strerror(errno)));
    }
    changed = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  }
  Entry& entry = entries_[ca_file];
  if (entry.context && entry.changed == changed) return entry.context;
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_verify_mode(ssl::verify_peer);
  boost::system::error_code error;
  if (ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(ca_file, error);
  }
  if (error) return fail(fmt::format("cannot use ca_file {}: {}", ca_file, error.message()));
  entry = {changed, context};
  return context;
}

bool expect_server(SSL* ssl, const std::string& name) {
  if (numeric_address(name, 1) && name != "localhost") {
    std::string_view bare = name;
    if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), std::string(bare).c_str()) == 1;
  }
  return SSL_set_tlsext_host_name(ssl, name.c_str()) == 1 && SSL_set1_host(ssl, name.c_str()) == 1;
}

std::string handshake_words(SSL* ssl, const boost::system::error_code& error) {
  const long verified = SSL_get_verify_result(ssl);
  if (verified != X509_V_OK) return fmt::format("certificate: {}", X509_verify_cert_error_string(verified));
  return fmt::format("TLS: {}", error.message());
}

}  // namespace homeostat::probe
