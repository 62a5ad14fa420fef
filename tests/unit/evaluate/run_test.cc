#include "evaluate/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fp8q {
namespace {

using testing::ElementsAre;

// Returns the length and the sum of the ids for each sequence, and twice the id for each token.
class FakeEngine : public Engine {
 public:
  std::vector<EngineOutput> run(const PackedBatch& batch, const SiteObserver&) override {
    EngineOutput pooled{"pooled", false, 2, {}}, tokens{"tokens", true, 1, {}};
    for (size_t s = 0; s < batch.sequences(); ++s) {
      float sum = 0;
      for (int32_t t = batch.offsets[s]; t < batch.offsets[s + 1]; ++t) {
        const float id = static_cast<float>(batch.ids[static_cast<size_t>(t)]);
        sum += id;
        tokens.values.push_back(2 * id);
      }
      pooled.values.push_back(static_cast<float>(batch.offsets[s + 1] - batch.offsets[s]));
      pooled.values.push_back(sum);
    }
    batch_sizes.push_back(batch.sequences());
    return {pooled, tokens};
  }
  std::vector<KernelChoice> kernels() const override { return {}; }
  std::string device() const override { return "fake"; }
  std::string description() const override { return "fake"; }

  std::vector<size_t> batch_sizes;
};

std::vector<Encoding> examples() {
  std::vector<Encoding> list;
  for (const std::vector<int32_t>& ids :
       {std::vector<int32_t>{1, 2}, {3}, {4, 5, 6}, {7, 8, 9, 10}, {11}})
    list.push_back({ids, std::vector<int32_t>(ids.size(), 0), {}});
  return list;
}

TEST(RunExamples, GivesResultsInTheExamplesOrder) {
  for (const size_t batch : {1, 2, 3, 64}) {
    FakeEngine engine;
    const RunResult result = run_examples(engine, examples(), {.batch = batch});
    ASSERT_EQ(result.examples.size(), 5u);
    EXPECT_THAT(result.examples[0][0], ElementsAre(2, 3));
    EXPECT_THAT(result.examples[3][0], ElementsAre(4, 34));
    EXPECT_THAT(result.examples[2][1], ElementsAre(8, 10, 12));
    EXPECT_EQ(result.tokens, 11u);
    ASSERT_EQ(result.outputs.size(), 2u);
    EXPECT_EQ(result.outputs[1].name, "tokens");
    EXPECT_TRUE(result.outputs[1].per_token);
  }
}

TEST(RunExamples, KeepsToTheBatchSizeAndReportsProgress) {
  FakeEngine engine;
  std::vector<size_t> done;
  run_examples(engine, examples(), {.batch = 2}, [&](size_t d, size_t) { done.push_back(d); });
  EXPECT_THAT(engine.batch_sizes, ElementsAre(2, 2, 1));
  EXPECT_THAT(done, ElementsAre(2, 4, 5));
}

TEST(RunExamples, PoolsOutputsPerToken) {
  FakeEngine engine;
  const RunResult run =
      run_examples(engine, examples(), {.batch = 2, .pooling = RowFunction::mean});
  EXPECT_FALSE(run.outputs[1].per_token);
  EXPECT_THAT(run.examples[2][1], ElementsAre(10));  // of 8, 10, 12
  EXPECT_THAT(run.examples[3][1], ElementsAre(17));
  EXPECT_THAT(run.examples[3][0], ElementsAre(4, 34));
}

}  // namespace
}  // namespace fp8q
