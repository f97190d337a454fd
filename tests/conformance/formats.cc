#include "breaker.hpp"
#include "format.hpp"

namespace conformance {

const std::vector<Format>& formats() {
  static const std::vector<Format> kFormats{{"breaker", recognises_breaker, run_breaker}};
  return kFormats;
}

}  // namespace conformance
