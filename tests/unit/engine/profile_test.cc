// Tests what the engine reports about its own speed: stages, operations, roofs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/threads.h"
#include "encoder/random_encoder.h"
#include "engine/cpu/roof.h"
#include "tests/unit/engine/tiny_encoder.h"

namespace fp8q::test {
namespace {

double operations_of(const std::vector<StageTime>& stages, const std::string& stage) {
  double sum = 0;
  for (const StageTime& s : stages)
    if (s.stage == stage) sum += s.operations;
  return sum;
}

double operations_of(const std::vector<StageTime>& stages) {
  double sum = 0;
  for (const StageTime& s : stages) sum += s.operations;
  return sum;
}

// BERT-base at 128 tokens does 22.35 GFLOP a sequence in 12 layers of 2 s (4 h^2 + 2 h f) + 4 s^2
// h.
TEST(Profile, CountsTheOperationsOfBertBase) {
  RandomShape one_layer = *random_shape_named("bert-base");
  const auto layers = static_cast<double>(one_layer.layers);
  one_layer.layers = 1;
  one_layer.vocabulary = 50;
  const auto engine = make_cpu_engine(random_encoder(one_layer), ComputeType::fp32);
  const auto stages = engine->profile(tiny_batch({128}));
  const double layer = operations_of(stages) - operations_of(stages, "head");
  EXPECT_NEAR(layers * layer, 22.35e9, 0.005e9);
  EXPECT_EQ(layer, 2.0 * 128 * (4 * 768 * 768 + 2 * 768 * 3072) + 4.0 * 128 * 128 * 768);
  EXPECT_EQ(operations_of(stages, "head"), 2.0 * 768 * (768 + 2));
}

TEST(Profile, TellsEveryStageOnceForAnyThreadsAndLengths) {
  const Encoder encoder = tiny_encoder({.activations = Format::e4m3, .weights = Format::e4m3});
  const auto engine = make_cpu_engine(encoder, ComputeType::automatic);
  std::vector<size_t> lengths;
  for (size_t i = 0; i < 24; ++i) lengths.push_back(1 + i * 29 % 60);  // several micro-batches
  const PackedBatch batch = tiny_batch(lengths);
  double expected = 0;
  for (const size_t n : lengths) {
    const auto s = static_cast<double>(n);
    expected += 2 * (2 * s * (4 * 32 * 32 + 2 * 32 * 80) + 4 * s * s * 32) + 2 * 32 * (32 + 2);
  }
  const int before = threads();
  for (const int n : {1, 2, 3}) {
    set_threads(n);
    const auto stages = engine->profile(batch);
    EXPECT_EQ(operations_of(stages), expected);
    std::vector<std::string> names;
    for (const StageTime& s : stages) {
      if (names.empty() || names.back() != s.stage) names.push_back(s.stage);
      EXPECT_GT(s.seconds, 0.0) << s.stage;
      EXPECT_EQ(s.unit.empty(), s.operations == 0) << s.stage;
    }
    EXPECT_THAT(names, testing::ElementsAre("embeddings", "qkv", "attention", "attention.output",
                                            "norm", "ffn.intermediate", "ffn.output", "head"));
  }
  set_threads(before);
  EXPECT_TRUE(engine->profile({}).empty());
}

TEST(Profile, EveryUnitItNamesHasARoof) {
  std::set<std::string> roofs;
  for (const Roof& r : cpu::measure_roofs()) roofs.insert(r.unit);
  for (const auto format :
       {std::optional<Format>(), std::optional(Format::e4m3), std::optional(Format::int8)}) {
    const auto engine = make_cpu_engine(tiny_encoder({.activations = format, .weights = format}),
                                        ComputeType::automatic);
    for (const StageTime& s : engine->profile(tiny_batch({20})))
      EXPECT_TRUE(s.unit.empty() || roofs.contains(s.unit)) << s.stage << " " << s.unit;
  }
}

TEST(Roofs, ArePositiveAndDoNotFallWithThreads) {
  const int before = threads();
  set_threads(1);
  const auto one = cpu::measure_roofs();
  set_threads(2);
  const auto two = cpu::measure_roofs();
  set_threads(before);
  ASSERT_FALSE(one.empty());
  EXPECT_EQ(one[0].unit, "fp32");
  ASSERT_EQ(one.size(), two.size());
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_GT(one[i].operations_per_s, 0.0);
    // Tests run side by side. If the second core is busy, two threads share the first.
    EXPECT_GT(two[i].operations_per_s, 0.6 * one[i].operations_per_s);
  }
}

TEST(ProductSpeeds, OfACpuAreMeasured) {
  const auto engine = make_cpu_engine(tiny_encoder({}), ComputeType::automatic);
  const auto speeds = engine->product_speeds();
  ASSERT_EQ(speeds.size(), 1 + std::size(kEveryFormat));
  EXPECT_EQ(speeds[0].format, std::nullopt);
  for (size_t i = 0; i < speeds.size(); ++i) {
    EXPECT_GT(speeds[i].operations_per_s, 1e6);
    if (i == 0) continue;
    EXPECT_EQ(speeds[i].format, kEveryFormat[i - 1]);
  }
}

// Has nothing but roofs.
class WithRoofs final : public Engine {
 public:
  explicit WithRoofs(std::vector<Roof> roofs) : roofs_(std::move(roofs)) {}
  std::vector<EngineOutput> run(const PackedBatch&, const SiteObserver&) override { return {}; }
  std::vector<Roof> roofs() override { return roofs_; }
  std::vector<KernelChoice> kernels() const override { return {}; }
  std::string device() const override { return "cuda"; }
  std::string description() const override { return "cuda"; }

 private:
  std::vector<Roof> roofs_;
};

TEST(ProductSpeeds, ElsewhereAreThoseOfTheRoofs) {
  for (const ProductSpeed& s :
       WithRoofs({{"bf16", 700}, {"fp8", 1400}, {"int8", 1390}}).product_speeds())
    EXPECT_EQ(s.operations_per_s, !s.format ? 700 : info(*s.format).integer ? 1390 : 1400);
  for (const ProductSpeed& s : WithRoofs({{"bf16", 700}, {"int8", 1390}}).product_speeds())
    EXPECT_EQ(s.operations_per_s, s.format && info(*s.format).integer ? 1390 : 700);
  EXPECT_TRUE(WithRoofs({}).product_speeds().empty());
  EXPECT_TRUE(WithRoofs({{"bf16", 700}}).product_speeds().empty());
}

}  // namespace
}  // namespace fp8q::test
