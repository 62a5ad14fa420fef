// Tests the parts of a tokenizer by themselves: UTF-8, truncation, added tokens, tries, merges.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "base/utf8.h"
#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/trie.h"
#include "text/truncation.h"

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

// The cases are those of Unicode 15, table 3-8, and the ones around it.
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

TEST(Utf8, DecodesBackwards) {
  const std::string text = "a\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80\xFF";
  std::u32string backwards;
  for (size_t end = text.size(); end > 0;) {
    const DecodedChar c = decode_utf8_before(text, end);
    backwards += c.value;
    end -= c.bytes;
  }
  EXPECT_EQ(backwards, U"\uFFFD\U0001F600\u4E2D\u00E9a");
}

AddedToken token(const std::string& content, int32_t id) { return {.content = content, .id = id}; }

TEST(AddedTokens, LeftmostThenLongest) {
  const AddedTokenMatcher matcher({token("ab", 1), token("abc", 2), token("", 3), token("bcd", 4)});
  const auto match = matcher.find("xabcd", 0);
  ASSERT_TRUE(match);
  EXPECT_EQ(matcher.token(match->token).id, 2);
  EXPECT_EQ(match->begin, 1u);
  EXPECT_EQ(match->end, 4u);
  EXPECT_FALSE(matcher.find("xabcd", match->end));
}

TEST(AddedTokens, TakeInWhiteSpaceAndMayNeedToStandAlone) {
  AddedToken left = token("<l>", 1), right = token("<r>", 2), word = token("cat", 3);
  left.lstrip = right.rstrip = word.single_word = true;
  const AddedTokenMatcher matcher({left, right, word});
  const auto range = [&](std::string_view text, size_t from) {
    const auto match = matcher.find(text, from);
    return match ? std::pair(match->begin, match->end) : std::pair(size_t{0}, size_t{0});
  };
  using Pair = std::pair<size_t, size_t>;
  EXPECT_EQ(range("a \t\xE3\x80\x80<l> b", 0), Pair(1, 9));
  EXPECT_EQ(range("a  <l>", 2), Pair(2, 6));  // not what the match before took
  EXPECT_EQ(range("a <r> \n b", 0), Pair(2, 8));
  EXPECT_EQ(range("concat cats cat", 0), Pair(12, 15));
  EXPECT_EQ(range("a cat\xC3\xA9", 0), Pair(0, 0));
}

TEST(Trie, FindsWhatAMapFinds) {
  std::mt19937 random(5);
  std::map<std::string, int32_t> words;
  while (words.size() < 3000) {
    std::string word;
    for (unsigned n = 1 + random() % 6; n > 0; --n)
      word += static_cast<char>(random() % 4 == 0 ? random() % 256 : 'a' + random() % 3);
    words.emplace(word, static_cast<int32_t>(words.size()));
  }
  const Trie trie(std::vector<Trie::Entry>(words.begin(), words.end()));
  for (int round = 0; round < 20000; ++round) {
    std::string text = std::next(words.begin(), random() % 3000)->first;
    if (random() % 2) text += static_cast<char>('a' + random() % 3);
    if (random() % 4 == 0) text[random() % text.size()] = static_cast<char>(random() % 256);
    const auto exact = words.find(text);
    ASSERT_EQ(trie.find(text), exact == words.end() ? Trie::kNone : exact->second);
    size_t length = text.size();
    while (length > 0 && !words.contains(text.substr(0, length))) --length;
    const Trie::Match match = trie.longest_prefix(text);
    ASSERT_EQ(match.length, length);
    ASSERT_EQ(match.value, length == 0 ? Trie::kNone : words.at(text.substr(0, length)));
  }
  EXPECT_EQ(Trie().longest_prefix("a").value, Trie::kNone);
}

// Merges by the definition: the leftmost of the pairs with the lowest rank, until there is none.
std::vector<int32_t> merge_slowly(const std::vector<Merge>& merges, std::vector<int32_t> ids) {
  for (;;) {
    size_t rank = merges.size();
    size_t at = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i)
      for (size_t r = 0; r < rank; ++r)
        if (merges[r].left == ids[i] && merges[r].right == ids[i + 1]) {
          rank = r;
          at = i;
        }
    if (rank == merges.size()) return ids;
    ids[at] = merges[rank].result;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(at) + 1);
  }
}

TEST(Bpe, MergesByDefinition) {
  std::mt19937 random(9);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::pair<std::string, int32_t>> vocabulary = {{"a", 0}, {"b", 1}, {"c", 2}};
    std::vector<Merge> merges;
    for (int i = 0; i < 12; ++i) {
      const auto& [left, left_id] = vocabulary[random() % vocabulary.size()];
      const auto& [right, right_id] = vocabulary[random() % vocabulary.size()];
      const std::string both = left + right;
      const auto known =
          std::ranges::find(vocabulary, both, &std::pair<std::string, int32_t>::first);
      const bool repeated = std::ranges::any_of(
          merges, [&](const Merge& m) { return m.left == left_id && m.right == right_id; });
      if (repeated || both.size() > 8) continue;
      const auto id =
          known != vocabulary.end() ? known->second : static_cast<int32_t>(vocabulary.size());
      merges.push_back({left_id, right_id, id});
      if (known == vocabulary.end()) vocabulary.emplace_back(both, id);
    }
    const Bpe bpe(vocabulary, {.merges = merges});
    Bpe::Scratch scratch;
    for (int w = 0; w < 50; ++w) {
      std::string word;
      std::vector<int32_t> bytes;
      for (unsigned n = 1 + random() % 20; n > 0; --n) {
        bytes.push_back(static_cast<int32_t>(random() % 3));
        word += static_cast<char>('a' + bytes.back());
      }
      std::vector<Piece> pieces;
      bpe.split(word, scratch, pieces);
      std::vector<int32_t> ids;
      size_t end = 0;
      for (const Piece& piece : pieces) {
        ids.push_back(piece.id);
        ASSERT_EQ(piece.begin, end);
        end = piece.end;
        ASSERT_EQ(word.substr(piece.begin, end - piece.begin),
                  vocabulary[static_cast<size_t>(piece.id)].first);
      }
      ASSERT_EQ(end, word.size());
      ASSERT_EQ(ids, merge_slowly(merges, bytes)) << word;
    }
  }
}

TEST(Bpe, UnknownBytes) {
  const std::vector<std::pair<std::string, int32_t>> vocabulary = {{"a", 0}, {"?", 1}};
  const auto ids = [&](const BpeOptions& options) {
    Bpe::Scratch scratch;
    std::vector<Piece> pieces;
    Bpe(vocabulary, options).split("xxayy", scratch, pieces);
    std::vector<int32_t> out;
    for (const Piece& piece : pieces) out.push_back(piece.id);
    return out;
  };
  EXPECT_EQ(ids({}), std::vector<int32_t>({0}));
  EXPECT_EQ(ids({.unk_id = 1}), std::vector<int32_t>({1, 1, 0, 1, 1}));
  EXPECT_EQ(ids({.unk_id = 1, .fuse_unk = true}), std::vector<int32_t>({1, 0, 1}));
}

}  // namespace
}  // namespace fp8q
