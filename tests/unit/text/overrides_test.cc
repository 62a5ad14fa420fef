// Tests how contradictions between a tokenizer.json and the files beside it are settled and told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fp8q/error.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"
#include "text/tokenizer.h"

namespace fp8q {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

json word_piece() {
  return json::parse(R"({
    "normalizer": {"type": "BertNormalizer", "strip_accents": null, "lowercase": true},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2,
      "[SEP]": 3, "film": 4, "Film": 5, "caf\u00e9": 6, "cafe": 7, "\u4e2d": 8, "##\u4e2d": 9,
      "<s>": 10}}})");
}

class Overrides : public testing::Test {
 protected:
  Tokenizer load(const json& tokenizer, const char* config, const char* model = nullptr) {
    folder_.write("tokenizer_config.json", config);
    if (model) folder_.write("config.json", model);
    return Tokenizer::load(folder_.write("tokenizer.json", tokenizer.dump()));
  }

  test::TemporaryFolder folder_;
};

constexpr const char* kText = "Film caf\u00e9";

TEST_F(Overrides, TheCaseOfTheConfigCounts) {
  const Tokenizer t = load(word_piece(), R"({"do_lower_case": false, "strip_accents": null})");
  EXPECT_THAT(t.tokenize(kText).ids, ElementsAre(5, 6));
  EXPECT_THAT(t.notes(),
              ElementsAre("tokenizer_config.json: do_lower_case is false, which contradicts "
                          "tokenizer.json; tokenizer_config.json counts, as in transformers"));
  EXPECT_THAT(t.describe(), HasSubstr("case kept, accents kept"));
  json cased = word_piece();
  cased["normalizer"]["lowercase"] = false;
  EXPECT_THAT(load(cased, R"({"do_lower_case": true})").tokenize(kText).ids, ElementsAre(4, 7));
}

TEST_F(Overrides, AccentsFollowTheCaseUnlessTheyAreStated) {
  const Tokenizer kept = load(word_piece(), R"({"strip_accents": false})");
  EXPECT_THAT(kept.tokenize(kText).ids, ElementsAre(4, 6));
  EXPECT_THAT(kept.notes(), ElementsAre(HasSubstr("strip_accents is false")));
  json stated = word_piece();
  stated["normalizer"]["strip_accents"] = false;
  EXPECT_THAT(load(stated, R"({"strip_accents": null})").tokenize(kText).ids, ElementsAre(4, 7));
  EXPECT_THAT(load(stated, R"({"do_lower_case": false})").tokenize(kText).ids, ElementsAre(5, 6));
}

TEST_F(Overrides, SpacesAroundChineseCharacters) {
  const Tokenizer t = load(word_piece(), R"({"tokenize_chinese_chars": false})");
  EXPECT_THAT(t.tokenize("\u4e2d\u4e2d").ids, ElementsAre(8, 9));
  EXPECT_THAT(t.notes(), ElementsAre(HasSubstr("tokenize_chinese_chars is false")));
  EXPECT_THAT(load(word_piece(), "{}").tokenize("\u4e2d\u4e2d").ids, ElementsAre(8, 8));
}

TEST_F(Overrides, WhatAgreesIsNotTold) {
  for (const char* config :
       {R"({"do_lower_case": true, "strip_accents": null, "tokenize_chinese_chars": true,
            "tokenizer_class": "BertTokenizer", "cls_token": "[CLS]", "sep_token": "[SEP]",
            "unk_token": "[UNK]", "model_max_length": 512})",
        "{}", R"({"padding_side": 5, "never_split": {}})"}) {
    const Tokenizer t = load(word_piece(), config);
    EXPECT_THAT(t.notes(), IsEmpty()) << config;
    EXPECT_EQ(t.hash(), load(word_piece(), "{}").hash());
  }
  EXPECT_NE(load(word_piece(), R"({"do_lower_case": false})").hash(),
            load(word_piece(), "{}").hash());
}

TEST_F(Overrides, AClassForAnyTokenizerKeepsTokenizerJson) {
  for (const char* name : {"PreTrainedTokenizerFast", "TokenizersBackend"}) {
    const json config = {{"do_lower_case", false}, {"tokenizer_class", name}};
    const Tokenizer t = load(word_piece(), config.dump().c_str());
    EXPECT_THAT(t.tokenize(kText).ids, ElementsAre(4, 7));
    EXPECT_THAT(t.notes(), ElementsAre(HasSubstr("; tokenizer.json counts")));
  }
  EXPECT_THAT(load(word_piece(), R"({"do_lower_case": false})",
                   R"({"tokenizer_class": "PreTrainedTokenizerFast"})")
                  .tokenize(kText)
                  .ids,
              ElementsAre(4, 7));
}

TEST_F(Overrides, OtherSpecialTokensAreTold) {
  const Tokenizer t =
      load(word_piece(), R"({"cls_token": {"content": "<s>"}, "unk_token": "<unk>"})");
  EXPECT_THAT(t.notes(), ElementsAre(HasSubstr("cls_token is \"<s>\", which is not around texts"),
                                     HasSubstr("unk_token is \"<unk>\"")));
  EXPECT_THAT(t.encode("film", {}, 8).ids, ElementsAre(2, 4, 3));
}

TEST_F(Overrides, TheLongestSequenceIsRead) {
  EXPECT_EQ(load(word_piece(), R"({"model_max_length": 64})").max_length(), 64u);
  for (const char* none : {R"({"model_max_length": 1000000000000000019884624838656})",
                           R"({"model_max_length": null})", R"({"model_max_length": "64"})", "{}"})
    EXPECT_FALSE(load(word_piece(), none).max_length()) << none;
}

TEST_F(Overrides, WrongValuesAreNamed) {
  test::expect_error(ErrorCode::bad_data,
                     "tokenizer_config.json: do_lower_case: expected true or false",
                     [&] { load(word_piece(), R"({"do_lower_case": "yes"})"); });
}

constexpr const char* kSmallVocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nfilm\n";

TEST(TokenizerClass, IsLookedForInEveryFile) {
  const auto message = [](const char* config, const char* model) {
    const test::TemporaryFolder folder;
    if (config) folder.write("tokenizer_config.json", config);
    if (model) folder.write("config.json", model);
    return test::raised_by([&] { Tokenizer::load(folder.write("vocab.txt", kSmallVocab)); }).second;
  };
  EXPECT_THAT(message("{}", R"({"tokenizer_class": "BertJapaneseTokenizer"})"),
              AllOf(HasSubstr("config.json: tokenizer_class \"BertJapanese\" with a vocab.txt"),
                    HasSubstr("--tokenizer")));
  EXPECT_THAT(message(nullptr, R"({"model_type": "roformer"})"),
              HasSubstr("config.json: model_type \"roformer\" with a vocab.txt"));
  EXPECT_EQ(message(R"({"tokenizer_class": "BertTokenizer"})", R"({"model_type": "roformer"})"),
            "no error");
  EXPECT_EQ(message(nullptr, R"({"model_type": "bert", "tokenizer_class": 5})"), "no error");
}

}  // namespace
}  // namespace fp8q
