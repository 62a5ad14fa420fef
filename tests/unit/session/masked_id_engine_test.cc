// Tests texts that hold a token which the graph takes for padding.
#include "session/masked_id_engine.h"

#include <gtest/gtest.h>

#include "session/make_engine.h"
#include "tests/unit/session/tiny_bundle.h"

namespace fp8q::test {
namespace {

// Makes a model that takes the id 1 for padding, in positions and in attention.
class MaskedId : public testing::TestWithParam<HeadStyle> {
 protected:
  MaskedId()
      : bundle_({.opset = 18,
                 .labels = 2,
                 .mask = MaskStyle::from_ids,
                 .embedding = EmbeddingStyle::roberta,
                 .head = GetParam()}) {}

  TinyBundle bundle_;
  std::vector<std::string> notes_;
};

INSTANTIATE_TEST_SUITE_P(Heads, MaskedId, testing::Values(HeadStyle::bert, HeadStyle::tokens));

TEST_P(MaskedId, OnlySequencesThatHoldItRunThroughTheInterpreter) {
  ASSERT_TRUE(bundle_.encoder) << bundle_.not_encoder_reason;
  ASSERT_EQ(bundle_.encoder->masked_id, 1);
  PackedBatch batch, plain;
  for (const std::vector<int32_t>& ids :
       {std::vector<int32_t>{2, 1, 7, 9, 1}, {5, 8, 4}, {2, 6, 1, 1}, {1}}) {
    batch.append(ids, {});
    if (ids.size() == 3) plain.append(ids, {});
  }
  ExecutionOptions execution;
  execution.device = "cpu";
  const auto engine = make_engine(bundle_, execution, notes_);
  const auto outputs = engine->run(batch).front();
  const auto expected = make_interpreter_engine(bundle_.model, bundle_.sites)->run(batch).front();
  ASSERT_EQ(outputs.values.size(), expected.values.size());
  for (size_t i = 0; i < outputs.values.size(); ++i)
    EXPECT_NEAR(outputs.values[i], expected.values[i], 1e-5) << i;
  const auto alone = make_cpu_engine(*bundle_.encoder, ComputeType::automatic)->run(plain).front();
  const auto from = static_cast<size_t>(outputs.per_token ? 5 * outputs.width : outputs.width);
  for (size_t i = 0; i < alone.values.size(); ++i)
    EXPECT_EQ(outputs.values[from + i], alone.values[i]) << i;
}

TEST_P(MaskedId, ObserversSeeAllSequences) {
  PackedBatch batch;
  batch.append(std::vector<int32_t>{2, 1, 7}, {});
  batch.append(std::vector<int32_t>{5, 8}, {});
  ExecutionOptions execution;
  execution.device = "cpu";
  size_t seen = 0;
  make_engine(bundle_, execution, notes_)
      ->run(batch, [&](int site, std::span<const float> values, int64_t) {
        if (bundle_.sites[static_cast<size_t>(site)].path == "layer.0/ffn.output/input")
          seen += values.size();
      });
  EXPECT_EQ(seen, 5u * 48);
}

}  // namespace
}  // namespace fp8q::test
