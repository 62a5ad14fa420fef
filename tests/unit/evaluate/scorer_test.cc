// Tests the scoring of engines, one of them a fake, and the batches of text that is not scored.
#include "evaluate/scorer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evaluate/label_evaluator.h"
#include "evaluate/text_batches.h"
#include "text/encodings.h"

namespace fp8q {
namespace {

using testing::ElementsAre;

// Answers class 1 if the first id is odd.
class OddEngine : public Engine {
 public:
  std::vector<EngineOutput> run(const PackedBatch& batch, const SiteObserver&) override {
    EngineOutput logits{"logits", false, 2, {}};
    for (size_t s = 0; s < batch.sequences(); ++s) {
      const int32_t id = batch.ids[static_cast<size_t>(batch.offsets[s])];
      logits.values.push_back(id % 2 == 0 ? 1.0f : 0.0f);
      logits.values.push_back(id % 2 == 0 ? 0.0f : 1.0f);
    }
    sizes.push_back(batch.sequences());
    return {logits};
  }
  std::vector<KernelChoice> kernels() const override { return {}; }
  std::string device() const override { return "fake"; }
  std::string description() const override { return "fake"; }

  std::vector<size_t> sizes;
};

Encoding encoding(std::vector<int32_t> ids) {
  const size_t length = ids.size();
  return {std::move(ids), std::vector<int32_t>(length, 0), {}};
}

TEST(Scorer, ScoresTheAnswersOfAnEngine) {
  const Task task = require_task("sst2");
  std::vector<Example> examples(5);
  Sequences sequences;
  for (int32_t e = 0; e < 5; ++e) {
    sequences.encodings.push_back(encoding({e, 7}));
    sequences.first.push_back(static_cast<size_t>(e) + 1);
    examples[static_cast<size_t>(e)].gold = e == 4 ? 1 : e % 2;  // the last answer is wrong
  }
  const LabelEvaluator evaluator(task, examples);
  ModelConfig config;
  config.path = "config.json";  // without labels: they have the task's order
  const Scorer scorer(
      {.evaluator = evaluator, .sequences = sequences, .config = config, .batch = 2, .seed = 3});
  EXPECT_EQ(scorer.examples(), 5u);
  OddEngine engine;
  std::vector<size_t> told;
  const Scored scored = scorer.scored(engine, [&](size_t done, size_t) { told.push_back(done); });
  EXPECT_DOUBLE_EQ(scored.score.score, 80);
  EXPECT_THAT(scored.answers.values, ElementsAre(0, 1, 0, 1, 0));
  EXPECT_LT(scored.ci95.low, 80);
  EXPECT_GT(scored.ci95.high, 80);
  EXPECT_THAT(engine.sizes, ElementsAre(2, 2, 1));
  EXPECT_THAT(told, ElementsAre(2, 4, 5));
  EXPECT_DOUBLE_EQ(scorer.score(engine), 80);
}

TEST(TextBatches, AreBoundedBySequencesAndTokens) {
  const auto of = [](const std::vector<size_t>& lengths, size_t sequences) {
    std::vector<Encoding> encodings;
    for (const size_t length : lengths)
      encodings.push_back(encoding(std::vector<int32_t>(length, 1)));
    std::vector<size_t> sizes;
    for (const PackedBatch& batch : batches_of(encodings, sequences))
      sizes.push_back(batch.sequences());
    return sizes;
  };
  EXPECT_THAT(of({1, 2, 3, 4, 5}, 2), ElementsAre(2, 2, 1));
  EXPECT_THAT(of({kBatchTokens, 1, kBatchTokens - 1, 1}, 9), ElementsAre(1, 2, 1));
  EXPECT_THAT(of({kBatchTokens + 1, 1}, 9), ElementsAre(1, 1)) << "longer ones stand alone";
  EXPECT_TRUE(of({}, 3).empty());
}

TEST(Encodings, AreToldApartByIdsSegmentsAndLimits) {
  const std::vector<Encoding> list = {encoding({1, 2}), encoding({3})};
  EXPECT_EQ(count_tokens(list), 3u);
  EXPECT_EQ(sha256_of(list), sha256_of(std::vector<Encoding>(list)));
  EXPECT_NE(sha256_of(list), sha256_of(std::vector<Encoding>{encoding({1}), encoding({2, 3})}));
  std::vector<Encoding> other = list;
  other[1].type_ids[0] = 1;
  EXPECT_NE(sha256_of(list), sha256_of(other));
}

}  // namespace
}  // namespace fp8q
