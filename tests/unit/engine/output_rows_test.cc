#include "engine/output_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace fp8q {
namespace {

using testing::ElementsAre;

// Makes a head of two stages of widths 4 and 3.
Encoder encoder_of(HeadKind head_kind, const std::vector<EncoderOutput>& outputs) {
  Encoder encoder;
  encoder.hidden = 4;
  encoder.head_kind = head_kind;
  encoder.head.resize(2);
  encoder.head[0].linear.out = 4;
  encoder.head[1].linear.out = 3;
  encoder.outputs = outputs;
  return encoder;
}

TEST(OutputRows, HaveTheirSourceAndARowForEachTokenOrSequence) {
  const std::vector<EncoderOutput> outputs = {{"states", OutputSource::hidden_states},
                                              {"pooled", OutputSource::head_stage, 0},
                                              {"end", OutputSource::head_column, 1}};
  PackedBatch batch;
  batch.append(std::vector<int32_t>{1, 2, 3}, {});
  batch.append(std::vector<int32_t>{4, 5}, {});
  for (const HeadKind kind : {HeadKind::first_token, HeadKind::every_token}) {
    const auto rows = output_rows(encoder_of(kind, outputs));
    const auto made = make_outputs(rows, batch);
    const size_t of_head = kind == HeadKind::every_token ? 5 : 2;
    ASSERT_EQ(made.size(), 3u);
    EXPECT_EQ(rows[0].head_stage, std::nullopt);
    EXPECT_EQ(rows[1].head_stage, 0u);
    EXPECT_EQ(rows[2].head_stage, 1u) << "the last";
    EXPECT_EQ(made[0].values.size(), 5u * 4) << "of every token, whatever the head";
    EXPECT_EQ(made[1].values.size(), of_head * 4);
    EXPECT_EQ(made[2].values.size(), of_head);
    EXPECT_EQ(made[2].width, 1);
  }
}

TEST(OutputRows, AreCopiedToTheirPlace) {
  const auto rows =
      output_rows(encoder_of(HeadKind::first_token, {{"pooled", OutputSource::head_stage, 1},
                                                     {"end", OutputSource::head_column, 2}}));
  PackedBatch batch;
  for (const int32_t id : {1, 2, 3}) batch.append(std::vector<int32_t>{id}, {});
  auto made = make_outputs(rows, batch);
  std::vector<float> source(6);
  std::iota(source.begin(), source.end(), 1.0f);
  for (size_t i = 0; i < 2; ++i) rows[i].copy(source.data(), 2, 1, made[i]);
  EXPECT_THAT(made[0].values, ElementsAre(0, 0, 0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(made[1].values, ElementsAre(0, 3, 6));
}

}  // namespace
}  // namespace fp8q
