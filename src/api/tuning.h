// One run of `tune`: the recipe is scored, harm estimated where that does not do, and plans are
// scored until one meets the demand.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/plan_maker.h"
#include "api/tune_checkpoint.h"
#include "fp8q/tune.h"
#include "quantize/choice.h"
#include "session/task_scorer.h"
#include "study/unit_harm.h"

namespace fp8q {

// What TuneOptions say, read.
struct TuneRequest {
  const Recipe* recipe = nullptr;
  PlanOptions plan;
  std::vector<Format> fallback;  // in the order they are tried; floating point comes after them
};

// The drop that is allowed for, at the low end of the paired bootstrap's interval of this
// confidence. Where no sample of the bootstrap differs, it says nothing about examples that are not
// there: the interval then spans what that many equal examples leave possible, a share
// 1 - ((1 - P) / 2)^(1/n) of changed ones (for 95 %: the rule of three, about 3.7 / n).
Interval difference_interval(const Scored& tested, const Scored& baseline, size_t examples,
                             double confidence);

class Tuning {
 public:
  // All must outlive it.
  Tuning(const TuneOptions& options, const TuneRequest& request, PlanMaker& maker,
         const TaskScorer& scorer, TuneCheckpoint& checkpoint, const ProgressCallback& progress)
      : options_(options),
        request_(request),
        maker_(maker),
        bundle_(maker.bundle()),
        scorer_(scorer),
        checkpoint_(checkpoint),
        progress_(progress) {}

  // Fills in what is found: `baseline` to `fallbacks`.
  void run(const SensitivityInputs& text, const UnitSizes& sizes, TuneResult& result);

  // The Plan of the result.
  Plan plan() { return plan_of(chosen_); }
  // Recipe and Plan on examples that run() did not see; after it, where it found a Plan.
  TuneHoldout confirmed(const TaskScorer& held_out);

 private:
  Progress step(std::string name) const;
  PlanRequest recipe_in(std::optional<Format> other) const;
  void plan_units(const UnitSizes& sizes, const std::vector<Roof>& roofs);
  std::vector<Move> moves(const SensitivityInputs& text);
  // Of the unit's first Site: all Sites of a unit change together.
  std::optional<Format> format_at(size_t unit, size_t step) const;
  // Why the unit is where it is; for people.
  std::string reason_of(size_t unit, size_t step) const;
  Plan plan_of(const Assignment& assignment);
  bool meets(const Assignment& assignment);
  // The converted model, in memory, on the scorer's examples.
  Scored scored(const Plan& plan, const TaskScorer& scorer, std::string step_name) const;
  KeptEvaluation evaluated(const Plan& plan);
  void choose(const Assignment& assignment);

  const TuneOptions& options_;
  const TuneRequest& request_;
  PlanMaker& maker_;
  const Bundle& bundle_;
  const TaskScorer& scorer_;
  TuneCheckpoint& checkpoint_;
  const ProgressCallback& progress_;
  TuneResult* result_ = nullptr;
  Scored baseline_;
  std::vector<Plan> plans_;  // of the recipe, then in each fallback format
  std::vector<FallbackUnit> units_;
  std::optional<CostModel> costs_;
  std::vector<Move> order_;
  std::map<std::string, size_t> index_of_;  // of an assignment's evaluation
  Assignment chosen_;
};

}  // namespace fp8q
