#include "engine/memory_needs.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/memory.h"
#include "base/threads.h"
#include "tiny_encoder.h"

namespace fp8q::test {
namespace {

constexpr uint64_t kEngineMiB = 1 << 20;

struct NeedsCase {
  const char* name;
  std::optional<Format> format;
  ComputeType compute;
};

class MemoryNeeds : public testing::TestWithParam<NeedsCase> {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers take memory of their own";
#endif
    set_threads(2);
  }
  void TearDown() override { set_threads(0); }
  static uint64_t in_use() {
    trim_memory();
    return memory_use().anonymous;
  }
};

TEST_P(MemoryNeeds, AreThoseOfAnEngine) {
  const NeedsCase& c = GetParam();
  const Encoder encoder = tiny_encoder({.activations = c.format,
                                        .weights = c.format,
                                        .hidden = 512,
                                        .heads = 8,
                                        .inner = 2048,
                                        .layers = 3});
  const EngineNeeds needs = cpu_engine_needs(encoder, c.compute);
  const uint64_t before = in_use();
  const auto engine = make_cpu_engine(encoder, c.compute);
  const uint64_t taken = in_use() - before;
  EXPECT_LE(taken, needs.weights + 2 * kEngineMiB);
  EXPECT_GE(taken, needs.weights / 4 * 3);  // some of it may be what tests before have freed

  const PackedBatch batch = tiny_batch(std::vector<size_t>(64, kTinyPositions));
  const RunShape shape{batch.sequences(), batch.tokens(), kTinyPositions, Watching::nobody};
  const auto outputs = engine->run(batch);
  const uint64_t run = in_use() - before - taken;
  const uint64_t bound = cpu_run_needs(encoder, c.compute, shape);
  EXPECT_LE(run, bound);
  EXPECT_LE(bound, 3 * run + 4 * kEngineMiB);
}

TEST_P(MemoryNeeds, GrowWithWhatSeesTheValues) {
  const Encoder encoder = tiny_encoder({.activations = GetParam().format});
  RunShape shape{.sequences = 1, .tokens = 64, .longest = 64};
  const uint64_t alone = cpu_run_needs(encoder, GetParam().compute, shape);
  shape.watching = Watching::observer;
  const uint64_t observed = cpu_run_needs(encoder, GetParam().compute, shape);
  shape.watching = Watching::transforms;
  EXPECT_GT(observed, alone);
  EXPECT_GT(cpu_run_needs(encoder, GetParam().compute, shape), observed);
}

INSTANTIATE_TEST_SUITE_P(Types, MemoryNeeds,
                         testing::Values(NeedsCase{"fp32", {}, ComputeType::automatic},
                                         NeedsCase{"bf16", {}, ComputeType::bf16},
                                         NeedsCase{"e4m3", Format::e4m3, ComputeType::automatic},
                                         NeedsCase{"int8", Format::int8, ComputeType::automatic}),
                         [](const auto& type) { return std::string(type.param.name); });

}  // namespace
}  // namespace fp8q::test
