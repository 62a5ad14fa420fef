#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "api/bench_encoder.h"
#include "api/bench_timing.h"
#include "encoder/random_encoder.h"
#include "fp8q/benchmark.h"
#include "fp8q/error.h"

namespace fp8q {
namespace {

using testing::HasSubstr;

std::vector<float> logits(const Encoder& encoder, const PackedBatch& batch) {
  return make_cpu_engine(encoder, ComputeType::automatic)->run(batch).at(0).values;
}

TEST(BenchEncoder, QuantisedOutputsAreFiniteAndNearTheFloatOnes) {
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
    // The naive recipes round at twice as many places, weights with one scale for all channels.
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

TEST(BenchTiming, QuantilesLieBetweenNeighbours) {
  EXPECT_EQ(quantile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(quantile({4, 1, 2, 3}, 0.5), 2.5);
  EXPECT_EQ(quantile({5}, 0.9), 5);
  EXPECT_EQ(quantile({2, 1}, 0), 1);
  EXPECT_EQ(quantile({2, 1}, 1), 2);
}

BenchmarkOptions quick() {
  BenchmarkOptions options;
  options.shape = "tiny";
  options.batches = {1, 3};
  options.lengths = {16};
  options.repeat = 4;
  options.stages = true;
  return options;
}

TEST(Benchmark, MeasuresEveryCellOfTheGrid) {
  const BenchmarkResult r = benchmark(quick());
  ASSERT_EQ(r.variants.size(), 3u);
  EXPECT_EQ(r.variants[1].format, "e4m3");
  EXPECT_THAT(r.variants[1].kernel, HasSubstr("e4m3"));
  ASSERT_EQ(r.rows.size(), 6u);
  for (size_t i = 0; i < r.rows.size(); ++i) {
    const BenchmarkRow& row = r.rows[i];
    EXPECT_EQ(row.variant, i % 3);
    EXPECT_EQ(row.batch, i < 3 ? 1u : 3u);
    EXPECT_EQ(row.tokens, row.batch * 16);
    EXPECT_EQ(row.runs, 4u);
    EXPECT_LE(row.min_ms, row.p10_ms);
    EXPECT_LE(row.p10_ms, row.median_ms);
    EXPECT_LE(row.median_ms, row.p90_ms);
    EXPECT_NEAR(row.tokens_per_s * row.median_ms / 1e3, static_cast<double>(row.tokens), 1e-6);
    EXPECT_GT(row.roof_fraction, 0.0);
    EXPECT_NEAR(row.ratio, r.rows[i - i % 3].median_ms / row.median_ms, 1e-9);
    double share = 0, operations = 0;
    for (const BenchmarkStage& s : row.stages) {
      share += s.share;
      operations += s.operations;
      EXPECT_EQ(s.roof_fraction > 0, s.operations > 0) << s.stage;
    }
    EXPECT_NEAR(share, 1.0, 1e-9);
    EXPECT_EQ(operations, row.operations);
  }
}

std::string refusal(const BenchmarkOptions& options) {
  try {
    benchmark(options);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::usage);
    return e.what();
  }
  return "";
}

TEST(Benchmark, RefusesWhatHasNoMeaning) {
  const auto with = [](auto change) {
    BenchmarkOptions options = quick();
    change(options);
    return refusal(options);
  };
  EXPECT_THAT(with([](auto& o) { o.shape = "huge"; }), HasSubstr("bert-large"));
  EXPECT_THAT(with([](auto& o) { o.formats = {"e9m9"}; }), HasSubstr("e4m3"));
  EXPECT_THAT(with([](auto& o) { o.formats = {}; }), HasSubstr("--format"));
  EXPECT_THAT(with([](auto& o) { o.lengths = {129}; }), HasSubstr("at most 128 tokens"));
  EXPECT_THAT(with([](auto& o) { o.lengths = {0}; }), HasSubstr("--length 0"));
  EXPECT_THAT(with([](auto& o) { o.batches = {}; }), HasSubstr("--batch"));
  EXPECT_THAT(with([](auto& o) { o.execution.compute = Compute::bf16; }),
              HasSubstr("--format bf16"));
}

}  // namespace
}  // namespace fp8q
