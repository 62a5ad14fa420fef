// The parts of a tokenizer by themselves: UTF-8, truncation, added tokens.
#include <gtest/gtest.h>

#include "text/added_tokens.h"
#include "text/truncation.h"
#include "text/utf8.h"

namespace fp8q {
namespace {

std::u32string decode(std::string_view text) {
  std::u32string out;
  for (size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_utf8(text, at);
    out += c.value;
    at += c.bytes;
  }
  return out;
}

TEST(Utf8, RoundTripsEveryCharacter) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string bytes;
    append_utf8(bytes, c);
    ASSERT_EQ(decode(bytes), std::u32string(1, c));
  }
}

// Unicode 15, table 3-8, and the cases around it.
TEST(Utf8, IllFormedPartsBecomeOneReplacementEach) {
  EXPECT_EQ(decode("\xC0\xAF"), U"\uFFFD\uFFFD");                      // overlong
  EXPECT_EQ(decode("\xED\xA0\x80"), U"\uFFFD\uFFFD\uFFFD");            // surrogate
  EXPECT_EQ(decode("\xF4\x91\x92\x93"), U"\uFFFD\uFFFD\uFFFD\uFFFD");  // above U+10FFFF
  EXPECT_EQ(decode("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), U"\uFFFD\uFFFD\uFFFD\uFFFD\u0041");
  EXPECT_EQ(decode("\x80"
                   "a\xFF"),
            U"\uFFFDa\uFFFD");
  EXPECT_EQ(decode("\xF0\x9F\x98"), U"\uFFFD");  // cut off at the end
}

TEST(Truncation, LongerTextIsCutFirst) {
  const auto kept = [](size_t a, size_t b, size_t room) {
    return truncate_longest_first(a, b, room);
  };
  using Pair = std::pair<size_t, size_t>;
  EXPECT_EQ(kept(3, 4, 7), Pair(3, 4));
  EXPECT_EQ(kept(8, 2, 7), Pair(5, 2));
  EXPECT_EQ(kept(2, 8, 7), Pair(2, 5));
  EXPECT_EQ(kept(8, 4, 7), Pair(4, 3));
  EXPECT_EQ(kept(4, 8, 7), Pair(3, 4));
  EXPECT_EQ(kept(8, 8, 7), Pair(3, 4));
  EXPECT_EQ(kept(9, 0, 7), Pair(7, 0));
  EXPECT_EQ(kept(9, 9, 0), Pair(0, 0));
}

TEST(AddedTokens, LeftmostThenLongest) {
  const AddedTokenMatcher matcher({{"ab", 1}, {"abc", 2}, {"", 3}, {"bcd", 4}});
  const auto match = matcher.find("xabcd", 0);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->id, 2);
  EXPECT_EQ(match->begin, 1u);
  EXPECT_EQ(match->end, 4u);
  EXPECT_FALSE(matcher.find("xabcd", match->end));
}

}  // namespace
}  // namespace fp8q
