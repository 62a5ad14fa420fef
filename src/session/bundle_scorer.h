// Scores plans on a task by converting the model in memory and running it.
#pragma once

#include "session/bundle.h"
#include "session/task_scorer.h"
#include "study/tuning.h"

namespace fp8q {

class BundleScorer final : public PlanScorer {
 public:
  // All arguments must outlive the scorer. `float_engine` runs the bundle's model as it is.
  // Converted models run as `execution` says.
  BundleScorer(const Bundle& bundle, const ExecutionOptions& execution, Engine& float_engine,
               const Scorer& scorer)
      : bundle_(bundle), execution_(execution), float_engine_(float_engine), scorer_(scorer) {}

  size_t examples() const override { return scorer_.examples(); }
  Scored float_model(const Progress& progress) override {
    return scorer_.scored(float_engine_, progress);
  }
  Scored converted(const Plan& plan, const Progress& progress) override;

 private:
  const Bundle& bundle_;
  const ExecutionOptions& execution_;
  Engine& float_engine_;
  const Scorer& scorer_;
};

}  // namespace fp8q
