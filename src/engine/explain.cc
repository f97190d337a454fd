#include "engine/engine.hpp"

namespace homeostat::engine {

std::string explain(const Observation& seen) {
  const std::string code = std::to_string(seen.code);
  switch (seen.reason) {
    case Reason::none:
      return std::string(to_string(seen.result));
    case Reason::exited:
      return seen.code < 0 ? "the process ended" : "the process exited with " + code;
    case Reason::signalled:
      return "the process was killed by " + (seen.code == 0 ? "a signal" : "signal " + code);
    case Reason::refused:
      return "connection refused";
    case Reason::reset:
      return "connection reset";
    case Reason::unreachable:
      return "unreachable";
    case Reason::timed_out:
      return "no answer in time";
    case Reason::wrong_status:
      return "answered " + code;
    case Reason::wrong_body:
      return "the answer is not the expected one";
    case Reason::garbage:
      return "the answer is not the protocol";
    case Reason::too_large:
      return "the answer is too large";
    case Reason::too_slow:
      return "too slow: " + code + " ms";
    case Reason::exit_code:
      return "exit status " + code;
    case Reason::not_found:
      return "the file does not exist";
    case Reason::stale:
      return "the file is too old: " + code + " s";
    case Reason::tls:
      return "TLS handshake or verification failed";
    case Reason::other:
      return "failed";
    case Reason::no_descriptors:
      return "could not look: out of descriptors or processes";
    case Reason::no_resolver:
      return "could not look: the name does not resolve";
    case Reason::internal:
      return "could not look";
    case Reason::reported:
      return "others say so";
  }
  return "?";
}

std::string explain_end(const Observation& seen, bool out_of_memory) {
  return explain(seen) + (out_of_memory ? ": it needed more memory than it may have" : "");
}

}  // namespace homeostat::engine
