// What an exec check printed, and how it ended: one short, harmless line.
#include <string>

#include "kit.hpp"
#include "probe/exec_check.hpp"
#include "shown.hpp"

namespace homeostat::fuzz {

void run(std::string_view input) {
  if (input.empty()) return;
  os::RunResult result;
  const auto how = static_cast<unsigned char>(input.front());
  result.end = static_cast<os::RunEnd>(how % 3);
  result.code = how / 3;
  result.output = input.substr(1, probe::kCommandOutput);
  const probe::Finding finding = probe::judge(result);
  require(is_harmless(finding.detail), "what is shown is harmless");
  require(finding.seen.good() || finding.seen.bad() || finding.seen.result == Result::unknown, "it is judged");
  require(finding.seen.result != Result::success || (result.end == os::RunEnd::exited && result.code == 0),
          "only the exit status 0 is a success");
}

}  // namespace homeostat::fuzz
