// Reads one HTTP/1.x answer, byte by byte if need be. Pure and bounded: whatever comes in, it never keeps more than the
// limits below and never needs to see the same byte twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace homeostat::probe {

inline constexpr std::size_t kMaxHead = 16 * 1024;    // status line, headers and trailers together
inline constexpr std::size_t kMaxKept = 64 * 1024;    // of the body, for `contains` and `matches`
inline constexpr std::size_t kMaxBody = 1024 * 1024;  // read to the end; beyond it the connection is given up

class HttpParser {
 public:
  /// `more`: feed more bytes. All others are final.
  enum class State : std::uint8_t { more, done, garbage, too_large, truncated };

  /// Begins a new answer. `head`: the request was HEAD, so no body follows. `keep`: how much of the body to keep.
  void reset(bool head, std::size_t keep);
  State feed(std::string_view bytes);
  /// The peer closed the connection: the end of a body without a length, else a truncated answer.
  State end();

  State state() const { return state_; }
  int status() const { return status_; }
  /// The beginning of the body, at most `keep` bytes.
  std::string_view body() const { return body_; }
  /// True when the body is longer than what was kept.
  bool body_cut() const { return cut_; }
  std::string_view location() const { return location_; }
  /// The connection can carry another request: the answer is complete, nothing follows it, the server keeps it open.
  bool reusable() const { return state_ == State::done && keep_alive_ && !extra_; }
  /// What is wrong with a `garbage` or `too_large` answer.
  const char* complaint() const { return complaint_; }

 private:
  enum class Step : std::uint8_t { status_line, headers, sized, to_close, chunk_size, chunk, chunk_end, trailers };

  std::string_view take_line(std::string_view in);
  std::string_view take_body(std::string_view in);
  void on_line(std::string_view line);
  void on_status_line(std::string_view line);
  void on_header(std::string_view line);
  void on_length(std::string_view value);
  void on_connection(std::string_view value);
  void on_head_end();
  void on_chunk_size(std::string_view line);
  void keep(std::string_view part);
  void fail(State state, const char* complaint);

  State state_ = State::more;
  Step step_ = Step::status_line;
  bool head_request_ = false;
  bool keep_alive_ = true;
  bool chunked_ = false;
  bool sized_ = false;
  bool cut_ = false;
  bool extra_ = false;
  int minor_ = 1;
  int status_ = 0;
  std::size_t keep_limit_ = 0;
  std::size_t head_bytes_ = 0;
  std::uint64_t body_bytes_ = 0;  // for bodies without a declared length: on the wire, framing included
  std::uint64_t remaining_ = 0;   // of the sized body or of the current chunk
  const char* complaint_ = "";
  std::string line_;  // the beginning of a line whose end has not come yet
  std::string body_;
  std::string location_;
};

}  // namespace homeostat::probe
