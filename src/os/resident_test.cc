#include "os/resident.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "os/usage.hpp"

namespace homeostat::os {
namespace {

std::uint64_t resident() {
  const auto usage = usage_of_process(::getpid());
  return usage ? usage->memory : 0;
}

TEST(Resident, WhatIsFreeIsGivenBackAndTheProgramGoesOn) {
  // Pieces that are too small to be mapped by themselves; the last one holds the heap's end.
  std::vector<std::unique_ptr<char[]>> pieces;
  for (int i = 0; i < 4096; ++i) {
    pieces.push_back(std::make_unique<char[]>(4096));
    pieces.back()[0] = 1;
  }
  const std::uint64_t full = resident();
  pieces.erase(pieces.begin(), pieces.end() - 1);
  give_memory_back();
  const std::uint64_t after = resident();
  EXPECT_LT(after + (8U << 20), full) << "of 16 MB at least half";
  EXPECT_EQ(pieces.back()[0], 1);
}

TEST(Resident, CodeOfTheStartIsGivenBackAndStillRuns) {
  // Kilobytes of files that are mapped and resident.
  const auto of_files = [] {
    std::ifstream status("/proc/self/status");
    std::string word;
    while (status >> word && word != "RssFile:") continue;
    long kilobytes = 0;
    status >> kilobytes;
    return kilobytes;
  };
  const long before = of_files();
  give_memory_back();
  EXPECT_LT(of_files(), before);
}

}  // namespace
}  // namespace homeostat::os
