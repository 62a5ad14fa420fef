// Tests which output answers a task, and how hidden states are pooled.
#include "session/answering_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "session/pooling_config.h"
#include "session/task_scorer.h"
#include "tests/support/errors.h"
#include "tests/unit/session/tiny_bundle.h"

namespace fp8q::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

AnsweringOutput answering(HeadStyle head, const ModelConfig& config = {}) {
  return answering_output(TinyBundle({.opset = 18, .labels = 2, .head = head}), config);
}

TEST(AnsweringOutput, IsLogitsWhereThereAreAny) {
  const TinyBundle bundle({.opset = 18, .labels = 2, .head = HeadStyle::everything});
  const AnsweringOutput output = answering_output(bundle, {});
  EXPECT_EQ(output.name, bundle.model.graph.outputs[3].name) << "neither hidden states nor pooler";
  EXPECT_FALSE(output.embedding);
  EXPECT_EQ(output.note, "");
}

TEST(AnsweringOutput, NamesProbabilities) {
  EXPECT_THAT(answering(HeadStyle::softmax).note, HasSubstr("probabilities (classifier, softmax)"));
  EXPECT_THAT(answering(HeadStyle::sigmoid).note, HasSubstr("probabilities (classifier, sigmoid)"));
  EXPECT_FALSE(answering(HeadStyle::sigmoid).embedding);
}

TEST(AnsweringOutput, IsTheEmbeddingOfASequence) {
  const TinyBundle bundle({.opset = 18, .head = HeadStyle::embedding});
  const AnsweringOutput output = answering_output(bundle, {});
  EXPECT_EQ(output.name, bundle.model.graph.outputs[1].name);
  EXPECT_TRUE(output.embedding);
  EXPECT_EQ(output.pooling, std::nullopt);
  EXPECT_THAT(output.note, HasSubstr("(mean of tokens, normalized)"));
  for (const auto head : {HeadStyle::first_token, HeadStyle::maximum, HeadStyle::dense_embedding})
    EXPECT_TRUE(answering(head).embedding);
}

// Without names of labels, a wide linear layer behind pooling makes an embedding.
TEST(AnsweringOutput, TellsADenseLayerFromAClassifier) {
  const TinyBundle narrow({.opset = 18, .labels = 3, .head = HeadStyle::mean});
  const TinyBundle wide({.opset = 18, .labels = 20, .head = HeadStyle::mean});
  EXPECT_FALSE(answering_output(narrow, {}).embedding);
  EXPECT_TRUE(answering_output(wide, {}).embedding);
  ModelConfig config;
  config.id2label.resize(20);
  EXPECT_FALSE(answering_output(wide, config).embedding);
}

TEST(AnsweringOutput, PoolsHiddenStatesAsTheConfigSays) {
  TinyBundle bundle({.opset = 18, .head = HeadStyle::hidden_and_pooled});
  const auto pooling = [&] { return answering_output(bundle, {}).pooling; };
  EXPECT_EQ(pooling(), RowFunction::mean);
  fs::create_directories(bundle.files.path() / "1_Pooling");
  bundle.files.write("1_Pooling/config.json",
                     R"({"word_embedding_dimension": 32, "pooling_mode_cls_token": true,
                         "pooling_mode_mean_tokens": false})");
  EXPECT_EQ(pooling(), RowFunction::first_token);
  EXPECT_THAT(answering_output(bundle, {}).note, HasSubstr("first token (as "));
  bundle.folder = bundle.files.path() / "onnx";
  EXPECT_EQ(pooling(), RowFunction::first_token) << "one folder up";
  bundle.files.write("1_Pooling/config.json", R"({"pooling_mode": "max"})");
  EXPECT_EQ(pooling(), RowFunction::max);
}

TEST(PoolingConfig, OtherPoolingsAreRefused) {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "1_Pooling");
  for (const char* text :
       {R"({"pooling_mode_weightedmean_tokens": true, "pooling_mode_mean_tokens": true})",
        R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true})",
        R"({"pooling_mode": "lasttoken"})", "{}"}) {
    folder.write("1_Pooling/config.json", text);
    expect_error(ErrorCode::bad_data, "cls, mean and max", [&] { find_pooling(folder.path()); });
  }
}

// The score is that of the embeddings which the graph makes.
TEST(AnsweringOutput, IsScoredByItsCosine) {
  const TinyBundle bundle({.opset = 18, .head = HeadStyle::embedding});
  const fs::path table = bundle.files.write("sts.tsv",
                                            "index\tgenre\tfilename\tyear\told_index\tsource1\t"
                                            "source2\tsentence1\tsentence2\tscore\n"
                                            "0\ta\tb\tc\t0\td\te\twaa wab\twaa wab\t5\n"
                                            "1\ta\tb\tc\t1\td\te\twaa wac\twad wae wba\t1\n"
                                            "2\ta\tb\tc\t2\td\te\twaf\twag wah\t0\n");
  std::vector<std::string> notes;
  const TaskRequest request{.tokenizer = {},
                            .config = {},
                            .task = {.name = "stsb", .data = table},
                            .shard = 1,
                            .shards = 1,
                            .side = {}};
  const TaskScorer scorer(bundle, request, {.batch = 4, .seed = 1}, notes);
  const auto engine = make_cpu_engine(*bundle.encoder, ComputeType::fp32);
  const auto reference = make_interpreter_engine(bundle.model, bundle.sites);
  EXPECT_NEAR(scorer.scorer().score(*engine), scorer.scorer().score(*reference), 1e-3);
}

}  // namespace
}  // namespace fp8q::test
