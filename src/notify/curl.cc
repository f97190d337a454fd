#include "notify/curl.hpp"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <string_view>

#include "core/text.hpp"

namespace homeostat::notify {
namespace {

constexpr std::size_t kAnswer = 512;  // bytes of an answer that are kept
constexpr const char* kLibrary = "libcurl.so.4";

#undef curl_easy_setopt
#undef curl_easy_getinfo

struct Functions {
  decltype(&::curl_global_init) global_init;
  decltype(&::curl_easy_init) init;
  decltype(&::curl_easy_setopt) setopt;
  decltype(&::curl_easy_perform) perform;
  decltype(&::curl_easy_getinfo) getinfo;
  decltype(&::curl_easy_strerror) strerror;
  decltype(&::curl_easy_cleanup) cleanup;
  decltype(&::curl_slist_append) append;
  decltype(&::curl_slist_free_all) free_all;
};

template <class F>
bool find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(::dlsym(library, name));
  return function != nullptr;
}

// It stays loaded until the process ends.
std::expected<Functions, Error> load() {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return fail(fmt::format("{} is needed to send it and is not there: install libcurl4", kLibrary));
  }
  Functions all{};
  const bool whole =
      find(library, "curl_global_init", all.global_init) && find(library, "curl_easy_init", all.init) &&
      find(library, "curl_easy_setopt", all.setopt) && find(library, "curl_easy_perform", all.perform) &&
      find(library, "curl_easy_getinfo", all.getinfo) && find(library, "curl_easy_strerror", all.strerror) &&
      find(library, "curl_easy_cleanup", all.cleanup) && find(library, "curl_slist_append", all.append) &&
      find(library, "curl_slist_free_all", all.free_all);
  if (!whole) return fail(fmt::format("{} lacks a function that is needed", kLibrary));
  all.global_init(CURL_GLOBAL_DEFAULT);
  return all;
}

std::size_t keep(const char* data, std::size_t size, std::size_t count, void* to) {
  auto& kept = *static_cast<std::string*>(to);
  kept.append(data, std::min(size * count, kAnswer - std::min(kAnswer, kept.size())));
  return size * count;
}

std::size_t give(char* to, std::size_t size, std::size_t count, void* from) {
  auto& left = *static_cast<std::string_view*>(from);
  const std::size_t length = std::min(size * count, left.size());
  std::memcpy(to, left.data(), length);
  left.remove_prefix(length);
  return length;
}

/// Whom a mail server did not take, as it is heard: it answers each RCPT before the next is sent.
struct Refusals {
  std::vector<std::string> all{};
  std::string receiver{};  // that an answer is awaited for
};

int hear(CURL* /*handle*/, curl_infotype kind, char* data, std::size_t size, void* to) {
  constexpr std::string_view kAsks = "RCPT TO:<";
  auto& refusals = *static_cast<Refusals*>(to);
  const std::string_view line(data, size);
  if (kind == CURLINFO_HEADER_OUT) {
    const bool asks = line.starts_with(kAsks);
    refusals.receiver = asks ? line.substr(kAsks.size(), line.find('>') - kAsks.size()) : std::string_view();
  } else if (kind == CURLINFO_HEADER_IN && !refusals.receiver.empty() && size > 3 && line[3] != '-') {
    if (line[0] != '2') {
      const std::string_view words = line.substr(0, line.find_last_not_of("\r\n") + 1);
      refusals.all.push_back(fmt::format("{} ({})", refusals.receiver, printable(words, kAnswer / 4)));
    }
    refusals.receiver.clear();
  }
  return 0;
}

/// One transfer.
class Transfer {
 public:
  Transfer(const Functions& curl, Duration timeout)
      : curl_(curl), handle_(curl.init(), curl.cleanup), list_(nullptr, curl.free_all) {
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count()));
    set(CURLOPT_USERAGENT, "homeostat");
    set(CURLOPT_WRITEFUNCTION, &keep);
    set(CURLOPT_WRITEDATA, static_cast<void*>(&answer_));
  }
  template <class T>
  void set(CURLoption option, T value) {
    curl_.setopt(handle_.get(), option, value);
  }
  void trust(const std::string& ca_file) {
    if (!ca_file.empty()) set(CURLOPT_CAINFO, ca_file.c_str());
  }
  void add(const std::string& line) {
    curl_slist* const longer = curl_.append(list_.get(), line.c_str());
    static_cast<void>(list_.release());
    list_.reset(longer);
  }
  curl_slist* list() { return list_.get(); }
  std::expected<void, Error> run() {
    const CURLcode code = curl_.perform(handle_.get());
    if (code == CURLE_OK) return {};
    return fail(error_[0] != '\0' ? error_.data() : curl_.strerror(code));
  }
  HttpAnswer answer() {
    HttpAnswer out{.status = 0, .body = std::move(answer_)};
    curl_.getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &out.status);
    return out;
  }

 private:
  const Functions& curl_;
  std::unique_ptr<CURL, decltype(Functions::cleanup)> handle_;
  std::unique_ptr<curl_slist, decltype(Functions::free_all)> list_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::string answer_;
};

}  // namespace

std::expected<HttpAnswer, Error> post(const Webhook& hook, const std::string& body, const std::string& key,
                                      Duration timeout) {
  const auto curl = load();
  if (!curl) return std::unexpected(curl.error());
  Transfer transfer(*curl, timeout);
  transfer.set(CURLOPT_URL, hook.url.c_str());
  transfer.set(CURLOPT_PROTOCOLS_STR, "http,https");
  transfer.trust(hook.ca_file);
  transfer.add("Content-Type: application/json");
  transfer.add("Idempotency-Key: " + key);
  transfer.add("Expect:");
  for (const auto& [name, value] : hook.headers) transfer.add(name + ": " + value);
  transfer.set(CURLOPT_HTTPHEADER, transfer.list());
  transfer.set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  transfer.set(CURLOPT_POSTFIELDS, body.c_str());
  if (const auto sent = transfer.run(); !sent) return std::unexpected(sent.error());
  return transfer.answer();
}

std::expected<std::vector<std::string>, Error> submit(const Email& mail, const std::string& message, Duration timeout) {
  const auto curl = load();
  if (!curl) return std::unexpected(curl.error());
  Transfer transfer(*curl, timeout);
  const std::string url = (mail.encryption == Encryption::tls ? "smtps://" : "smtp://") + mail.server;
  transfer.set(CURLOPT_URL, url.c_str());
  transfer.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  transfer.set(CURLOPT_USE_SSL,
               static_cast<long>(mail.encryption == Encryption::none ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  transfer.trust(mail.ca_file);
  if (!mail.user.empty()) {
    transfer.set(CURLOPT_USERNAME, mail.user.c_str());
    transfer.set(CURLOPT_PASSWORD, mail.password.c_str());
  }
  transfer.set(CURLOPT_MAIL_FROM, mail.from.c_str());
  for (const std::string& receiver : mail.to) transfer.add(receiver);
  transfer.set(CURLOPT_MAIL_RCPT, transfer.list());
  // Somebody who has left keeps nobody else from being told. Only when all are refused, it has failed.
  transfer.set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
  Refusals refusals;
  transfer.set(CURLOPT_VERBOSE, 1L);
  transfer.set(CURLOPT_DEBUGFUNCTION, &hear);
  transfer.set(CURLOPT_DEBUGDATA, static_cast<void*>(&refusals));
  std::string_view left = message;
  transfer.set(CURLOPT_UPLOAD, 1L);
  transfer.set(CURLOPT_READFUNCTION, &give);
  transfer.set(CURLOPT_READDATA, static_cast<void*>(&left));
  if (const auto sent = transfer.run(); !sent) return std::unexpected(sent.error());
  return std::move(refusals.all);
}

}  // namespace homeostat::notify
