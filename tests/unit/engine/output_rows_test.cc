#include "engine/output_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace fp8q {
namespace {

using testing::ElementsAre;

// Makes a head of two stages of widths 4 and 3, the first of which reads `read`.
Encoder encoder_of(const HeadRows& read, const std::vector<EncoderOutput>& outputs) {
  Encoder encoder;
  encoder.hidden = 4;
  encoder.head.resize(2);
  encoder.head[0].input = read;
  encoder.head[0].linear.out = 4;
  encoder.head[1].input = {0, {}};
  encoder.head[1].linear.out = 3;
  encoder.outputs = outputs;
  return encoder;
}

const HeadRows kTokens, kFirstToken = {HeadRows::kHiddenStates, {RowFunction::first_token}};

TEST(OutputRows, HaveTheirSourceAndARowForEachTokenOrSequence) {
  const std::vector<EncoderOutput> outputs = {
      {"states", {}, {}}, {"pooled", {0, {}}, {}}, {"end", {1, {}}, 1}, {"first", kFirstToken, {}}};
  PackedBatch batch;
  batch.append(std::vector<int32_t>{1, 2, 3}, {});
  batch.append(std::vector<int32_t>{4, 5}, {});
  for (const HeadRows& read : {kFirstToken, kTokens}) {
    const auto rows = output_rows(encoder_of(read, outputs));
    const auto made = make_outputs(rows, batch);
    const size_t of_head = read == kTokens ? 5 : 2;
    ASSERT_EQ(made.size(), 4u);
    EXPECT_EQ(rows[0].head_stage, std::nullopt);
    EXPECT_EQ(rows[1].head_stage, 0u);
    EXPECT_EQ(rows[2].head_stage, 1u);
    EXPECT_EQ(made[0].values.size(), 5u * 4) << "of every token, whatever the head";
    EXPECT_EQ(made[1].values.size(), of_head * 4);
    EXPECT_EQ(made[2].values.size(), of_head);
    EXPECT_EQ(made[2].width, 1);
    EXPECT_TRUE(rows[3].source_per_token);
    EXPECT_FALSE(made[3].per_token);
    EXPECT_EQ(made[3].values.size(), 2u * 4);
  }
}

TEST(OutputRows, AreWrittenToTheirPlace) {
  const auto rows = output_rows(encoder_of(
      kFirstToken,
      {{"pooled", {1, {}}, {}}, {"end", {1, {}}, 2}, {"mean", {-1, {RowFunction::mean}}, {}}}));
  PackedBatch batch;
  for (const int32_t id : {1, 2, 3}) batch.append(std::vector<int32_t>{id, id}, {});
  auto made = make_outputs(rows, batch);
  std::vector<float> source(16);
  std::iota(source.begin(), source.end(), 1.0f);
  const std::vector<int32_t> offsets = {0, 2, 4};
  for (size_t i = 0; i < 3; ++i) rows[i].write(source.data(), {1, 2, offsets}, made[i]);
  EXPECT_THAT(made[0].values, ElementsAre(0, 0, 0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(made[1].values, ElementsAre(0, 3, 6));
  EXPECT_THAT(made[2].values, ElementsAre(0, 0, 0, 0, 3, 4, 5, 6, 11, 12, 13, 14));
}

}  // namespace
}  // namespace fp8q
