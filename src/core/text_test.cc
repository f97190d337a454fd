#include "core/text.hpp"

#include <gtest/gtest.h>

namespace homeostat {
namespace {

TEST(Text, WhereUtf8CharactersEnd) {
  EXPECT_EQ(utf8_length("a"), 1);
  EXPECT_EQ(utf8_length("\xc3\xa4x"), 2);
  EXPECT_EQ(utf8_length("\xe2\x82\xac"), 3);
  EXPECT_EQ(utf8_length("\xf0\x9f\x98\x80"), 4);
  EXPECT_EQ(utf8_length(""), 0);
  EXPECT_EQ(utf8_length("\xa4"), 0);              // begins in the middle
  EXPECT_EQ(utf8_length("\xe2\x82"), 0);          // ends too early
  EXPECT_EQ(utf8_length("\xc0\xaf"), 0);          // longer than it need be
  EXPECT_EQ(utf8_length("\xe0\x80\xaf"), 0);      // the same
  EXPECT_EQ(utf8_length("\xed\xa0\x80"), 0);      // half of a pair of another encoding
  EXPECT_EQ(utf8_length("\xf4\x90\x80\x80"), 0);  // beyond the last character
}

TEST(Text, WhatDrivesATerminalIsNotShown) {
  EXPECT_EQ(printable("a\tb\x1b[2Jc\x7f"), "a b [2Jc ");
  // Control Sequence Introducer as one character of two bytes: what `ESC [` does, without an ESC.
  EXPECT_EQ(printable("\xc2\x9b"
                      "31mred"),
            " 31mred");
  EXPECT_EQ(printable("\xc2\xa0"), "\xc2\xa0");
  EXPECT_EQ(printable("a\xff"
                      "b"),
            "a\xef\xbf\xbd"
            "b");
}

TEST(Text, ABoundNeverCutsACharacter) {
  EXPECT_EQ(printable("abc", 2), "ab");
  EXPECT_EQ(printable("a\xe2\x82\xac", 3), "…");
  EXPECT_EQ(printable("a\xe2\x82\xac", 4), "a\xe2\x82\xac");
  EXPECT_EQ(printable("\xff\xff", 5), "…");
  EXPECT_EQ(printable("abc", 0), "") << "no room for a mark";
  EXPECT_EQ(printable("abcdef", 5), "ab…");
  EXPECT_EQ(printable("a\xe2\x82\xac\xe2\x82\xac", 6), "a…");
}

}  // namespace
}  // namespace homeostat
