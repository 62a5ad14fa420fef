// Compares byte-level BPE with the reference implementation, from tokenizer.json and from
// vocab.json with merges.txt, and tests what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "base/file.h"
#include "base/utf8.h"
#include "fp8q/error.h"
#include "tests/support/paths.h"
#include "tests/unit/text/golden_case.h"
#include "text/byte_level.h"
#include "text/tokenizer.h"

namespace fp8q {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const json& golden() {
  static const json file =
      json::parse(read_file(test::source_dir() / "tests/golden/bpe.json", 1 << 24));
  return file;
}

json spec_of(const json& group) {
  json spec = golden()["spec"];
  spec.update(group["parts"]);
  return spec;
}

Tokenizer write_and_load(const test::TemporaryFolder& folder, const json& spec) {
  return Tokenizer::load(folder.write("tokenizer.json", spec.dump()));
}

// Loads the golden model as vocab.json and merges.txt.
Tokenizer load_vocab_json(const test::TemporaryFolder& folder, const json& config = {}) {
  std::string merges = "#version: 0.2\n";
  for (const json& pair : golden()["spec"]["model"]["merges"])
    merges += pair[0].get<std::string>() + " " + pair[1].get<std::string>() + "\n";
  folder.write("merges.txt", merges);
  if (!config.is_null()) folder.write("tokenizer_config.json", config.dump());
  return Tokenizer::load(folder.write("vocab.json", golden()["spec"]["model"]["vocab"].dump()));
}

TEST(ByteLevelBpe, AwkwardTextsFromTokenizerJson) {
  const test::TemporaryFolder folder;
  for (const json& group : golden()["groups"]) {
    SCOPED_TRACE(group["name"].get<std::string>());
    const Tokenizer tokenizer = write_and_load(folder, spec_of(group));
    for (const json& c : group["cases"]) test::expect_case(tokenizer, c);
  }
}

TEST(ByteLevelBpe, AwkwardTextsFromVocabJson) {
  for (const size_t group : {0, 1}) {
    const test::TemporaryFolder folder;
    const Tokenizer tokenizer = load_vocab_json(
        folder, {{"tokenizer_class", "RobertaTokenizer"}, {"add_prefix_space", group == 1}});
    for (const json& c : golden()["groups"][group]["cases"]) test::expect_case(tokenizer, c);
  }
}

TEST(ByteLevelBpe, OldAndNewMergesAreTheSame) {
  const test::TemporaryFolder folder;
  const json& group = golden()["groups"][0];
  json spec = spec_of(group);
  spec["model"].erase("type");
  for (json& pair : spec["model"]["merges"])
    pair = pair[0].get<std::string>() + " " + pair[1].get<std::string>();
  const Tokenizer tokenizer = write_and_load(folder, spec);
  for (const json& c : group["cases"]) test::expect_case(tokenizer, c);
}

TEST(ByteLevelBpe, DescribesItself) {
  const test::TemporaryFolder folder;
  const Tokenizer tokenizer = load_vocab_json(folder);
  EXPECT_EQ(tokenizer.describe(),
            "byte-level BPE, 380 tokens, case kept, accents kept (vocab.json)");
  EXPECT_EQ(tokenizer.vocab_size(), 380);
  EXPECT_EQ(tokenizer.pad_id(), 1);
  EXPECT_EQ(tokenizer.frame_size(false), 2u);
  EXPECT_EQ(tokenizer.frame_size(true), 4u);
}

TEST(ByteLevelBpe, IllFormedBytesAreReplacementCharacters) {
  const test::TemporaryFolder folder;
  const Tokenizer tokenizer = load_vocab_json(folder);
  const Encoding bad = tokenizer.encode("a\xFF\xC3 b", {}, 64);
  const Encoding good = tokenizer.encode("a\uFFFD\uFFFD b", {}, 64);
  EXPECT_EQ(bad.ids, good.ids);
  EXPECT_EQ(bad.offsets, good.offsets);
}

TEST(ByteLevelBpe, RandomBytesKeepOffsetsInside) {
  const test::TemporaryFolder folder;
  std::mt19937 random(3);
  for (const json& group : golden()["groups"]) {
    const Tokenizer tokenizer = write_and_load(folder, spec_of(group));
    for (int round = 0; round < 2000; ++round) {
      std::string text;
      for (unsigned n = random() % 40; n > 0; --n)
        text += random() % 2 ? static_cast<char>(random() % 256) : " 's\n"[random() % 4];
      const size_t length = count_code_points(text);
      const Tokens tokens = tokenizer.tokenize(text);
      ASSERT_EQ(tokens.ids.size(), tokens.offsets.size());
      for (const auto& [begin, end] : tokens.offsets) {
        ASSERT_LE(begin, end) << "round " << round;
        ASSERT_LE(end, length) << "round " << round;
      }
    }
  }
}

TEST(ByteLevelBpe, ThreadsAgree) {
  const test::TemporaryFolder folder;
  const Tokenizer tokenizer = load_vocab_json(folder);
  const json& cases = golden()["groups"][0]["cases"];
  std::vector<std::string> texts;
  std::vector<std::vector<int32_t>> expected;
  for (const json& c : cases) {
    texts.push_back(c["text"]);
    expected.push_back(tokenizer.tokenize(texts.back()).ids);
  }
  std::array<bool, 4> same{};
  std::vector<std::thread> threads;
  for (size_t k = 0; k < same.size(); ++k)
    threads.emplace_back([&, k] {
      same[k] = true;
      for (size_t i = 0; i < 20 * texts.size(); ++i)
        same[k] = same[k] &&
                  tokenizer.tokenize(texts[i % texts.size()]).ids == expected[i % texts.size()];
    });
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(same, testing::Each(true));
}

struct Refused {
  const char* name;
  std::function<void(json&)> damage;
  ErrorCode code;
  const char* message;
};

TEST(ByteLevelBpe, WhatIsNotHandledIsRefusedByName) {
  constexpr auto kBad = ErrorCode::bad_data;
  constexpr auto kUnsupported = ErrorCode::unsupported;
  const std::vector<Refused> cases = {
      {"dropout", [](json& s) { s["model"]["dropout"] = 0.1; }, kUnsupported, "model.dropout: 0.1"},
      {"suffix", [](json& s) { s["model"]["end_of_word_suffix"] = "</w>"; }, kUnsupported,
       "model.end_of_word_suffix"},
      {"fallback", [](json& s) { s["model"]["byte_fallback"] = true; }, kUnsupported,
       "model.byte_fallback"},
      {"no byte level",
       [](json& s) {
         s["pre_tokenizer"] = {{"type", "WhitespaceSplit"}};
       },
       kUnsupported, "pre_tokenizer: a BPE model without the pre-tokenizer ByteLevel"},
      {"split",
       [](json& s) {
         s["pre_tokenizer"] = {{"type", "Split"}};
       },
       kUnsupported, "pre_tokenizer: the type \"Split\""},
      {"nested",
       [](json& s) {
         s["normalizer"] = {{"type", "Sequence"}, {"normalizers", {{{"type", "Precompiled"}}}}};
       },
       kUnsupported, "normalizer.normalizers[0]: the type \"Precompiled\""},
      {"post",
       [](json& s) {
         s["post_processor"] = {{"type", "Other"}};
       },
       kUnsupported, "post_processor: the type \"Other\""},
      {"merge", [](json& s) { s["model"]["merges"][3] = "t zzz"; }, kBad,
       "model.merges[3]: the merge of \"t\" and \"zzz\" needs the token \"zzz\""},
      {"merge form", [](json& s) { s["model"]["merges"][2] = "abc"; }, kBad,
       "model.merges[2]: expected two tokens"},
      {"id", [](json& s) { s["model"]["vocab"]["a"] = 3; }, kBad, "has the id 3"},
  };
  for (const Refused& c : cases) {
    const test::TemporaryFolder folder;
    json spec = spec_of(golden()["groups"][0]);
    c.damage(spec);
    try {
      write_and_load(folder, spec);
      ADD_FAILURE() << c.name << " was accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), c.code) << c.name;
      EXPECT_THAT(e.what(), HasSubstr("tokenizer.json"));
      EXPECT_THAT(e.what(), HasSubstr(c.message));
    }
  }
}

std::string vocab_json_error(const std::string& vocab, const std::optional<std::string>& merges,
                             const std::string& config = "{}") {
  const test::TemporaryFolder folder;
  if (merges) folder.write("merges.txt", *merges);
  folder.write("tokenizer_config.json", config);
  try {
    Tokenizer::load(folder.write("vocab.json", vocab));
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

// Returns a vocabulary with these tokens and those of all bytes, which the golden one has.
std::string with_bytes(const std::vector<std::string>& tokens) {
  json vocab;
  const auto add = [&](const std::string& token) {
    if (!vocab.contains(token)) vocab[token] = vocab.size();
  };
  for (const std::string& token : tokens) add(token);
  for (const auto& [token, id] : golden()["spec"]["model"]["vocab"].items())
    if (const auto bytes = bytes_of_token(token); bytes && bytes->size() == 1) add(token);
  return vocab.dump();
}

TEST(ByteLevelBpe, DamagedVocabularyFilesNamePlaceAndRemedy) {
  const std::string vocab = with_bytes({"<s>", "<pad>", "</s>", "<unk>", "aa"});
  EXPECT_EQ(vocab_json_error(vocab, "a a\r\n"), "no error");
  EXPECT_THAT(vocab_json_error(vocab, {}), HasSubstr("merges.txt: is absent or empty"));
  EXPECT_THAT(vocab_json_error(vocab, "#version: 0.2\na b\n"),
              HasSubstr("merges.txt: line 2: the merge of \"a\" and \"b\" needs the token \"ab\""));
  EXPECT_THAT(vocab_json_error(vocab, "a b c\n"), HasSubstr("merges.txt: line 1: expected two"));
  EXPECT_THAT(vocab_json_error(vocab, "a a\n\xff\n"),
              HasSubstr("merges.txt: line 2: byte 1 (0xff)"));
  EXPECT_THAT(vocab_json_error(with_bytes({"<unk>", "</s>"}), "#version\n"),
              HasSubstr("vocab.json: has no special token \"<s>\""));
  EXPECT_THAT(vocab_json_error("[]", "#version\n"), HasSubstr("vocab.json: expected an object"));
  EXPECT_THAT(vocab_json_error(vocab, "#version\n", R"({"tokenizer_class": "GPT2Tokenizer"})"),
              HasSubstr("tokenizer_class \"GPT2\" with a vocab.json is not supported"));
}

TEST(ByteLevelBpe, OtherVocabulariesAreRefusedAsWhatTheyAre) {
  const auto refusal = [](const char* token) {
    return vocab_json_error(
        json{{"<s>", 0}, {"</s>", 1}, {"<pad>", 2}, {"<unk>", 3}, {"a", 4}, {token, 5}}.dump(),
        "#version\n");
  };
  EXPECT_THAT(refusal("a</w>"), HasSubstr("vocab.json: is no vocabulary of byte-level BPE"));
  EXPECT_THAT(refusal("a</w>"), HasSubstr("\"</w>\", as XLM"));
  EXPECT_THAT(refusal("a@@"), HasSubstr("\"@@\", as PhoBERT"));
  EXPECT_THAT(refusal("\u2581a"), HasSubstr("as SentencePiece does"));
  EXPECT_THAT(refusal("b"), HasSubstr("has no token for some of the 256 bytes"));
}

}  // namespace
}  // namespace fp8q
