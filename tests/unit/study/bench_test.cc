#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "encoder/random_encoder.h"
#include "study/bench_encoder.h"
#include "study/bench_rows.h"

namespace fp8q {
namespace {

std::vector<float> logits(const Encoder& encoder, const PackedBatch& batch) {
  return make_cpu_engine(encoder, ComputeType::automatic)->run(batch).at(0).values;
}

TEST(BenchEncoder, QuantizedOutputsAreFiniteAndNearTheFloatOnes) {
  RandomShape shape = *random_shape_named("minilm-l6");
  shape.layers = 3;
  shape.vocabulary = 500;
  const Encoder encoder = random_encoder(shape);
  const auto absmax = observed_absmax(encoder, 1);
  const PackedBatch batch =
      random_batch({.sequences = 5, .length = 24, .vocabulary = 500, .ragged = true, .seed = 3});
  const auto expected = logits(encoder, batch);
  double largest = 0;
  for (const float x : expected) largest = std::max(largest, std::abs(double{x}));
  EXPECT_GT(largest, 0.1) << "the head answers to its input";
  for (const Recipe& recipe : all_recipes()) {
    SCOPED_TRACE(recipe.name);
    const Encoder q = quantized_encoder(encoder, recipe, absmax);
    for (const Site& site : q.sites) {
      EXPECT_EQ(site.quantization.has_value(), covers(recipe, site.role)) << site.path;
      if (site.kind == SiteKind::weight && site.quantization) {
        EXPECT_EQ(site.quantization->axis.has_value(),
                  recipe.weight_granularity == Granularity::channel)
            << site.path;
      }
    }
    const auto got = logits(q, batch);
    ASSERT_EQ(got.size(), expected.size());
    double worst = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_TRUE(std::isfinite(got[i]));
      worst = std::max(worst, std::abs(double{got[i]} - expected[i]));
    }
    EXPECT_GT(worst, 0.0);
    // The naive recipes round at twice as many places, and weights have one scale for all channels.
    const bool naive = recipe.weight_granularity == Granularity::tensor;
    EXPECT_LT(worst, (naive ? 0.3 : 0.15) * largest);
  }
}

TEST(BenchEncoder, RandomBatches) {
  const PackedBatch full = random_batch({.sequences = 3, .length = 40, .vocabulary = 9});
  EXPECT_THAT(full.offsets, testing::ElementsAre(0, 40, 80, 120));
  EXPECT_EQ(full.ids, random_batch({.sequences = 3, .length = 40, .vocabulary = 9}).ids);
  EXPECT_THAT(full.ids, testing::Each(testing::AllOf(testing::Ge(0), testing::Lt(9))));
  const PackedBatch ragged =
      random_batch({.sequences = 200, .length = 41, .vocabulary = 9, .ragged = true});
  int32_t least = 1000, most = 0;
  for (size_t s = 0; s < ragged.sequences(); ++s) {
    least = std::min(least, ragged.offsets[s + 1] - ragged.offsets[s]);
    most = std::max(most, ragged.offsets[s + 1] - ragged.offsets[s]);
  }
  EXPECT_EQ(least, 11);
  EXPECT_EQ(most, 41);
}

TEST(BenchTiming, QuantilesLieBetweenNeighbors) {
  EXPECT_EQ(quantile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(quantile({4, 1, 2, 3}, 0.5), 2.5);
  EXPECT_EQ(quantile({5}, 0.9), 5);
  EXPECT_EQ(quantile({2, 1}, 0), 1);
  EXPECT_EQ(quantile({2, 1}, 1), 2);
}

TEST(BenchRows, TheBetterOfTwoMeasurementsIsTheRoof) {
  std::vector<BenchmarkRoof> roofs;
  keep_best({{"fp32", 10}, {"int8", 40}}, roofs);
  keep_best({{"fp32", 12}, {"int8", 30}, {"bf16", 5}}, roofs);
  ASSERT_EQ(roofs.size(), 3u);
  EXPECT_EQ(roofs[0].operations_per_s, 12);
  EXPECT_EQ(roofs[1].operations_per_s, 40);
  EXPECT_EQ(roofs[2].operations_per_s, 5);
}

TEST(BenchRows, FractionsAreOfTheUnitsRoof) {
  std::vector<BenchmarkRow> rows(1);
  rows[0].unit = "int8";
  rows[0].operations = 20;
  rows[0].median_ms = 1000;
  rows[0].stages = {{"qkv", "fp32", 0.5, 1, 6, 0}, {"norm", "", 0.5, 1, 0, 0}};
  add_roof_fractions({{"fp32", 24}, {"int8", 40}}, rows);
  EXPECT_DOUBLE_EQ(rows[0].roof_fraction, 0.5);
  EXPECT_DOUBLE_EQ(rows[0].stages[0].roof_fraction, 0.5);
  EXPECT_EQ(rows[0].stages[1].roof_fraction, 0);
  add_roof_fractions({}, rows);
  EXPECT_EQ(rows[0].roof_fraction, 0) << "unknown";
}

}  // namespace
}  // namespace fp8q
