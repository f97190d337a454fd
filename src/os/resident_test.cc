#include "os/resident.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "os/usage.hpp"

namespace homeostat::os {
namespace {

std::uint64_t resident() {
  const auto usage = usage_of_process(::getpid());
  return usage ? usage->memory : 0;
}

TEST(Resident, WhatIsFreeIsGivenBackAndTheProgramGoesOn) {
  // Pieces that are too small to be mapped by themselves, and one behind them that holds the heap's end.
  std::vector<std::unique_ptr<char[]>> pieces;
  for (int i = 0; i < 4096; ++i) {
    pieces.push_back(std::make_unique<char[]>(4096));
    pieces.back()[0] = 1;
  }
  const auto last = std::make_unique<char>('x');
  const std::uint64_t full = resident();
  pieces.clear();
  give_memory_back();
  const std::uint64_t after = resident();
  EXPECT_LT(after + (8U << 20), full) << "of 16 MB at least half";
  EXPECT_EQ(*last, 'x');
  EXPECT_EQ(std::to_string(after).empty(), false) << "code that was given back still runs";
}

}  // namespace
}  // namespace homeostat::os
