#include "evaluate/scorer.h"

#include <numeric>

namespace fp8q {

Answers Scorer::answers(Engine& engine, const Progress& progress) const {
  const RunResult run =
      run_examples(engine, inputs_.sequences.encodings,
                   {.batch = inputs_.batch, .pooling = inputs_.evaluator.pooling()}, progress);
  return inputs_.evaluator.answers(inputs_.sequences, run, inputs_.config);
}

Scored Scorer::scored(Engine& engine, const Progress& progress) const {
  return score_answers(inputs_.evaluator, examples(), answers(engine, progress), inputs_.seed);
}

double Scorer::score(Engine& engine) const {
  std::vector<uint32_t> all(examples());
  std::iota(all.begin(), all.end(), 0u);
  return inputs_.evaluator.score(answers(engine, nullptr), all).score;
}

}  // namespace fp8q
