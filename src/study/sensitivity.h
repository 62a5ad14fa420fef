// Measures how much harm rounding each Site does: alone, and as part of everything.
//
// `alone` tells what a Site costs by itself. `left_out` tells what everything else still costs when
// the Site stays in floating point. Its difference to the harm of everything is the gain of falling
// back at this Site. The cost and the gain differ if errors add up or one error hides another.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "study/trial.h"

namespace fp8q {

// Describes what a trial does to the outputs, compared with those of the float model on the same
// text.
struct Harm {
  // This is the mean KL divergence in nats if outputs are decisions, or else squared error /
  // squares of the float outputs. Several outputs count with their mean. Sites are ranked by this
  // measure.
  double divergence = 0;
  double nmse = 0;
  // These are the mean -log of the probability of what the float model decides, in nats, and the
  // share of decisions that stay. Both count the outputs that are decisions, and are nullopt if
  // there are none.
  std::optional<double> loss, agreement;
  std::optional<double> score;  // score of the task in points, if one was asked for
};

struct SiteHarm {
  size_t site = 0;  // index of the Site
  Harm alone, left_out;
};

struct Sensitivity {
  Harm none;  // loss and score of the float model
  Harm all;
  std::vector<SiteHarm> sites;  // the Sites that the plan quantizes, in their order
};

struct SensitivityInputs {
  std::vector<PackedBatch> batches;  // the text
  // Returns the task's score of a model, in points. It is empty if no score is asked for.
  std::function<double(Engine&)> score;
};

// Judges models by comparing their outputs on the text with those of the float encoder.
class TrialJudge {
 public:
  // Runs the text through `encoder`. Both arguments must outlive the judge.
  TrialJudge(const Encoder& encoder, const SensitivityInputs& inputs);
  Harm harm(Engine& engine) const;

 private:
  const Encoder& encoder_;
  const SensitivityInputs& inputs_;
  std::vector<std::vector<EngineOutput>> float_outputs_;  // by batch
};

// It is called after each trial with the number of trials done.
using TrialProgress = std::function<void(size_t done, size_t total)>;

Sensitivity measure_sensitivity(const Encoder& encoder, const Plan& plan,
                                const SensitivityInputs& inputs, const TrialProgress& progress);

}  // namespace fp8q
