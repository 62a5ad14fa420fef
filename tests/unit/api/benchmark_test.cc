#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fp8q/benchmark.h"
#include "fp8q/error.h"
#include "tests/support/errors.h"

namespace fp8q {
namespace {

using testing::HasSubstr;

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
  return test::error_of(ErrorCode::usage, [&] { benchmark(options); });
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
