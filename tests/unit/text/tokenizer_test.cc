// Tests reading tokenizers, what is refused, and that no text can do harm.
#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <thread>

#include "base/utf8.h"
#include "fp8q/error.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"

namespace fp8q {
namespace {

using test::raised_by;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kVocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\nfilm\n!\n";

std::string tokenizer_json(const std::string& model_type = "WordPiece",
                           const std::string& extra = "") {
  return R"({"added_tokens": [{"id": 3, "content": "[SEP]", "special": true, "normalized": false}],
    "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                   "strip_accents": null, "lowercase": true},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
    "truncation": {"max_length": 3}, "padding": {"strategy": {"Fixed": 128}},
    "model": {"type": ")" +
         model_type +
         R"(", "unk_token": "[UNK]", "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3,
      "[MASK]": 4, "un": 5, "##aff": 6, "##able": 7, "film": 8, "!": 9)" +
         extra + "}}}";
}

std::pair<ErrorCode, std::string> load_error(const std::string& name, const std::string& content) {
  const test::TemporaryFolder folder;
  return raised_by([&] { Tokenizer::load(folder.write(name, content)); });
}

TEST(Tokenizer, BothSourcesGiveTheSameIds) {
  const test::TemporaryFolder folder;
  const Tokenizer from_vocab = Tokenizer::load(folder.write("vocab.txt", kVocab));
  const Tokenizer from_json = Tokenizer::load(folder.write("tokenizer.json", tokenizer_json()));
  for (const Tokenizer& t : {from_vocab, from_json}) {
    EXPECT_THAT(t.encode("Unaffable film! unaffx", {}, 16).ids,
                ElementsAre(2, 5, 6, 7, 8, 9, 1, 3));
    EXPECT_THAT(t.encode("film", "un[SEP]", 16).ids, ElementsAre(2, 8, 3, 5, 3, 3));
    EXPECT_THAT(t.encode("film", "un", 16).type_ids, ElementsAre(0, 0, 0, 1, 1));
    EXPECT_THAT(t.encode("", {}, 2).ids, ElementsAre(2, 3));
    EXPECT_EQ(t.vocab_size(), 10);
    EXPECT_EQ(t.pad_id(), 0);
    EXPECT_EQ(t.hash().size(), 64u);
  }
  EXPECT_THAT(from_vocab.describe(), HasSubstr("WordPiece, 10 tokens, lower case"));
}

TEST(Tokenizer, VocabularyMayHaveDosLineEndsAndAByteOrderMark) {
  const test::TemporaryFolder folder;
  const Tokenizer t = Tokenizer::load(
      folder.write("vocab.txt", "\xEF\xBB\xBF[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n\r\nfilm"));
  EXPECT_THAT(t.encode("film", {}, 8).ids, ElementsAre(2, 5, 3));
}

TEST(Tokenizer, TooSmallMaximumLengthIsRefused) {
  const test::TemporaryFolder folder;
  const Tokenizer t = Tokenizer::load(folder.write("vocab.txt", kVocab));
  const auto [code, message] = raised_by([&] { t.encode("a", "b", 2); });
  EXPECT_EQ(code, ErrorCode::usage);
  EXPECT_THAT(message, HasSubstr("2 tokens does not hold the 3 special tokens"));
}

TEST(Tokenizer, BadVocabulariesNameFileAndLine) {
  const auto [code, message] = load_error("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nx\nx\n");
  EXPECT_EQ(code, ErrorCode::bad_data);
  EXPECT_THAT(message, HasSubstr("vocab.txt: line 6: the token \"x\" stands in line 5 already"));
  EXPECT_THAT(load_error("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n").second, HasSubstr("\"[SEP]\""));
  EXPECT_EQ(load_error("vocab.txt", "").first, ErrorCode::bad_data);
}

TEST(Tokenizer, BadTokenizerJsonIsRefused) {
  EXPECT_EQ(load_error("t.json", "{").first, ErrorCode::bad_data);
  EXPECT_EQ(load_error("t.json", "[]").first, ErrorCode::bad_data);
  EXPECT_EQ(load_error("t.json", std::string(100000, '[')).first, ErrorCode::bad_data);
  EXPECT_THAT(load_error("t.json", tokenizer_json("WordPiece", ", \"x\": 9")).second,
              HasSubstr("has the id 9"));
  EXPECT_THAT(load_error("t.json", tokenizer_json("WordPiece", ", \"film\": 10")).second,
              HasSubstr("stands twice"));
  EXPECT_THAT(load_error("t.json", tokenizer_json("WordPiece", ", \"x\": 4000000000")).second,
              HasSubstr("model.vocab.x: expected a whole number"));
}

TEST(Tokenizer, OtherModelsAreRefusedByName) {
  for (const char* type : {"Unigram", "WordLevel"}) {
    const auto [code, message] = load_error("tokenizer.json", tokenizer_json(type));
    EXPECT_EQ(code, ErrorCode::unsupported);
    EXPECT_THAT(message, HasSubstr(type));
    EXPECT_THAT(message, HasSubstr("fp8q handles WordPiece"));
  }
}

TEST(Tokenizer, OtherTokenizerClassesAreRefused) {
  const test::TemporaryFolder folder;
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "BertJapaneseTokenizer"})");
  const auto [code, message] =
      raised_by([&] { Tokenizer::load(folder.write("vocab.txt", kVocab)); });
  EXPECT_EQ(code, ErrorCode::unsupported);
  EXPECT_THAT(message, HasSubstr("--tokenizer"));
}

TEST(Tokenizer, AddedTokensBesideAVocabularyAreUsed) {
  const test::TemporaryFolder folder;
  const auto load = [&](const std::string& id) {
    folder.write("tokenizer_config.json",
                 R"({"tokenizer_class": "BertTokenizerFast", "do_lower_case": false,
                     "added_tokens_decoder": {")" +
                     id + R"(": {"content": "<x>", "special": true}}})");
    return Tokenizer::load(folder.write("vocab.txt", kVocab));
  };
  EXPECT_THAT(load("10").encode("un<x>Film", {}, 8).ids, ElementsAre(2, 5, 10, 1, 3));
  EXPECT_EQ(load("10").vocab_size(), 11);
  EXPECT_EQ(raised_by([&] { load("-1"); }).first, ErrorCode::bad_data);
}

// Returns random bytes, biased towards what has meaning to a tokenizer.
std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> parts = {
      "[SEP]",    "[CLS",         "un", "aff", "\xCC\x81",     "\xE4\xB8\xAD", "\xC4\xB0",
      "\xF0\x9F", "\xEA\xB0\x81", " ",  "!",   "\xE0\xA3\x94",  // U+08D4, a reordered mark
  };
  std::string text;
  for (unsigned n = random() % 30; n > 0; --n) {
    if (random() % 2) {
      text += parts[random() % parts.size()];
    } else {
      text += static_cast<char>(random() % 256);
    }
  }
  return text;
}

TEST(Tokenizer, RandomBytesKeepOffsetsInside) {
  const test::TemporaryFolder folder;
  const Tokenizer t = Tokenizer::load(folder.write("vocab.txt", kVocab));
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    const std::string text = random_text(random);
    const size_t length = count_code_points(text);
    const Tokens tokens = t.tokenize(text);
    ASSERT_EQ(tokens.ids.size(), tokens.offsets.size());
    for (size_t i = 0; i < tokens.ids.size(); ++i) {
      const auto [begin, end] = tokens.offsets[i];
      ASSERT_LT(begin, end) << "round " << round;
      ASSERT_LE(end, length) << "round " << round;
      ASSERT_LT(tokens.ids[i], t.vocab_size());
    }
    ASSERT_LE(t.encode(text, random_text(random), 8).ids.size(), 8u);
  }
}

TEST(Tokenizer, ThreadsAgree) {
  const test::TemporaryFolder folder;
  const Tokenizer t = Tokenizer::load(folder.write("vocab.txt", kVocab));
  const auto expected = t.encode("unaffable caf\xC3\xA9 film!", {}, 32).ids;
  std::vector<std::thread> threads;
  std::array<bool, 4> same{};
  for (size_t k = 0; k < same.size(); ++k)
    threads.emplace_back([&, k] {
      same[k] = true;
      for (int i = 0; i < 1000; ++i)
        same[k] = same[k] && t.encode("unaffable caf\xC3\xA9 film!", {}, 32).ids == expected;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(same, testing::Each(true));
}

}  // namespace
}  // namespace fp8q
