// Numbers out of an HTTP answer.
#pragma once

#include "probe/judge.hpp"
#include "probe/source.hpp"

namespace homeostat::probe {

/// `judged` is what the answer is to a check that expects a good status.
Reading read_answer(const std::vector<Selection>& numbers, const Finding& judged, const HttpParser& answer);

}  // namespace homeostat::probe
