// How much harm rounding each Site does: alone, and as part of everything.
//
// Alone tells what a Site costs by itself. Left out tells what everything else still costs when it
// stays in floating point; the difference to the harm of everything is what falling back at this
// Site gains. They differ where errors add up or one error hides another.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "study/trial.h"

namespace fp8q {

// What a trial does to the outputs, against those of the float model on the same text.
struct Harm {
  // Mean KL divergence in nats where outputs are decisions, else squared error / squares of the
  // float outputs; of several outputs the mean. What Sites are ranked by.
  double divergence = 0;
  double nmse = 0;
  // Of outputs that are decisions; nullopt where none is. Mean -log of the probability of what the
  // float model decides, in nats, and the share of decisions that stay.
  std::optional<double> loss, agreement;
  std::optional<double> score;  // of a task, in points; where one was asked for
};

struct SiteHarm {
  size_t site = 0;  // index
  Harm alone, left_out;
};

struct Sensitivity {
  Harm none;  // of the float model: its loss and score
  Harm all;
  std::vector<SiteHarm> sites;  // those the plan quantizes, in their order
};

struct SensitivityInputs {
  std::vector<PackedBatch> batches;  // the text
  bool every_token = false;          // the model has a head that classifies tokens
  // The task's score of a model, in points; empty: not asked for.
  std::function<double(Engine&)> score;
};

// Judges models by their outputs on the text, against those of the float encoder.
class TrialJudge {
 public:
  // Runs the text through `encoder`; `inputs` must outlive the judge.
  TrialJudge(const Encoder& encoder, const SensitivityInputs& inputs);
  Harm harm(Engine& engine) const;

 private:
  const SensitivityInputs& inputs_;
  std::vector<std::vector<EngineOutput>> float_outputs_;  // by batch
};

// Called after each trial with the number of trials done.
using TrialProgress = std::function<void(size_t done, size_t total)>;

Sensitivity measure_sensitivity(const Encoder& encoder, const Plan& plan,
                                const SensitivityInputs& inputs, const TrialProgress& progress);

}  // namespace fp8q
