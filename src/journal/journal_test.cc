#include "journal/journal.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>

#include "journal/reader.hpp"
#include "journal/testing.hpp"

namespace homeostat::journal {
namespace {

TEST(Journal, WhatIsAcknowledgedIsReadBack) {
  const TempDir dir;
  std::vector<Entry> written;
  {
    auto journal = Journal::open(dir.path(), small());
    ASSERT_TRUE(journal) << journal.error().text;
    EXPECT_TRUE((*journal)->health().fresh);
    EXPECT_EQ((*journal)->epoch(), 1U);
    written = entries(1, 100);
    ASSERT_TRUE((*journal)->append(written));
    EXPECT_TRUE(wait_durable(**journal, 100));
    EXPECT_EQ(read_back(dir.path()), written);
  }
  auto again = Journal::open(dir.path(), small());
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ((*again)->state(), State::writable) << (*again)->reason();
  EXPECT_EQ((*again)->health().last_seq, 100U);
  EXPECT_EQ((*again)->epoch(), 2U);
  EXPECT_EQ(read_back(dir.path()), written);
}

}  // namespace
}  // namespace homeostat::journal
