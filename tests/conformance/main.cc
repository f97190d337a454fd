// conformance FILE.json…: replays test vectors and counts what is reproduced.
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "api/exact_json.hpp"
#include "format.hpp"

namespace conformance {
namespace {

constexpr std::string_view kUsage =
    "usage: conformance FILE.json…\n\n"
    "Replays published test vectors through the functions Homeostat uses. Ends with 0 when every case of every file "
    "is\n"
    "reproduced, with 1 when one is not, with 2 when a file cannot be read or its format is not known.\n\n"
    "example: build/release/conformance tests/vectors/breaker.json\n";

struct Total {
  std::size_t cases = 0;
  std::size_t reproduced = 0;
  bool unreadable = false;
};

void cannot(const std::string& path, const char* why, Total& total) {
  std::fprintf(stderr, "%s: %s\n", path.c_str(), why);
  total.unreadable = true;
}

void report(const std::string& path, const std::vector<Case>& cases, Total& total) {
  std::size_t reproduced = 0;
  for (const Case& one : cases) {
    if (one.fault.empty()) ++reproduced;
    if (!one.fault.empty()) std::printf("%s: %s: %s\n", path.c_str(), one.name.c_str(), one.fault.c_str());
    if (!one.note.empty()) std::printf("%s: %s: %s\n", path.c_str(), one.name.c_str(), one.note.c_str());
  }
  std::printf("%s: %zu of %zu reproduced\n", path.c_str(), reproduced, cases.size());
  total.cases += cases.size();
  total.reproduced += reproduced;
}

void run_file(const std::string& path, Total& total) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return cannot(path, "cannot be opened", total);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  boost::system::error_code wrong;
  const json::value file = homeostat::api::parse_exact(text, wrong);
  if (wrong) return cannot(path, ("is not JSON: " + wrong.message()).c_str(), total);
  if (!file.is_object()) return cannot(path, "is not a JSON object", total);
  for (const Format& format : formats()) {
    if (format.recognises(file.as_object())) return report(path, format.run(file.as_object()), total);
  }
  cannot(path, "is of a format that this program does not know", total);
}

}  // namespace
}  // namespace conformance

int main(int argc, char** argv) {
  conformance::Total total;
  if (argc < 2 || std::string_view(argv[1]) == "--help") {
    std::fputs(conformance::kUsage.data(), argc < 2 ? stderr : stdout);
    return argc < 2 ? 2 : 0;
  }
  for (int i = 1; i < argc; ++i) conformance::run_file(argv[i], total);
  std::printf("total: %zu of %zu reproduced\n", total.reproduced, total.cases);
  if (total.unreadable) return 2;
  return total.reproduced == total.cases ? 0 : 1;
}
