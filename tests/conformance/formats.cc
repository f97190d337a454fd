#include "breaker.hpp"
#include "format.hpp"
#include "hpa.hpp"
#include "kayenta.hpp"
#include "kpa.hpp"

namespace conformance {

const std::vector<Format>& formats() {
  static const std::vector<Format> kFormats{{"breaker", recognises_breaker, run_breaker},
                                            {"hpa", recognises_hpa, run_hpa},
                                            {"kayenta", recognises_kayenta, run_kayenta},
                                            {"kpa", recognises_kpa, run_kpa}};
  return kFormats;
}

}  // namespace conformance
