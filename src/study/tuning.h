// Performs one run of `tune`. The recipe is scored first. If it does not meet the demand, harm is
// estimated, and plans are scored until one meets the demand.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "evaluate/score.h"
#include "fp8q/tune.h"
#include "study/plan_maker.h"
#include "study/tune_checkpoint.h"
#include "study/unit_harm.h"

namespace fp8q {

// Holds the request of the user.
struct TuneRequest {
  const Recipe* recipe = nullptr;
  PlanOptions plan;
  std::vector<Format> fallback;      // in the order of trying; floating point comes last
  double max_drop = 0;               // points, or per cent of the float model's score
  bool relative = false;             // per cent
  std::optional<double> confidence;  // as TuneOptions::confidence
  size_t evaluations = 0;            // as TuneOptions::evaluations
  bool holds_out = false;            // whether the result will be confirmed on other examples
};

// Scores the tuned model, and its conversions by plans, on some examples.
class PlanScorer {
 public:
  virtual ~PlanScorer() = default;
  virtual size_t examples() const = 0;
  virtual Scored float_model(const Progress& progress) = 0;
  virtual Scored converted(const Plan& plan, const Progress& progress) = 0;
};

// Holds the inputs for estimating harm and price of a fallback.
struct TuneInputs {
  SensitivityInputs text;
  UnitSizes sizes;
  // Gives the speeds of the scoring device; called when it is warm.
  std::function<std::vector<ProductSpeed>()> speeds;
};

// Returns the paired bootstrap's interval of this confidence. Its low end is compared with the
// allowed drop. If no sample of the bootstrap differs, the bootstrap says nothing about other
// examples. The interval then spans what that many equal examples leave possible: a share
// 1 - ((1 - P) / 2)^(1/n) of changed examples (for 95 % the rule of three, about 3.7 / n).
Interval difference_interval(const Scored& tested, const Scored& baseline, size_t examples,
                             double confidence);

class Tuning {
 public:
  // All arguments must outlive the object. The maker's source must have an encoder.
  Tuning(const TuneRequest& request, PlanMaker& maker, PlanScorer& scorer,
         TuneCheckpoint& checkpoint, const ProgressCallback& progress)
      : request_(request),
        maker_(maker),
        scorer_(scorer),
        checkpoint_(checkpoint),
        progress_(progress) {}

  // Fills in the results, from `baseline` to `fallbacks`.
  void run(const TuneInputs& inputs, TuneResult& result);

  // Returns the Plan of the result.
  Plan plan() { return plan_of(chosen_); }
  // Scores recipe and Plan on examples that run() did not see. Call it after run() has found a
  // Plan.
  TuneHoldout confirmed(PlanScorer& held_out);

 private:
  const std::vector<Site>& sites() const { return maker_.source().sites; }
  Progress step(std::string name) const;
  PlanRequest recipe_in(std::optional<Format> other) const;
  void plan_units(const TuneInputs& inputs);
  std::vector<Move> moves(const SensitivityInputs& text);
  // Returns the format of the unit's first Site, since all Sites of a unit change together.
  std::optional<Format> format_at(size_t unit, size_t step) const;
  // Explains to people why the unit is at this step.
  std::string reason_of(size_t unit, size_t step) const;
  Plan plan_of(const Assignment& assignment);
  bool meets(const Assignment& assignment);
  KeptEvaluation evaluated(const Plan& plan);
  void choose(const Assignment& assignment);

  const TuneRequest& request_;
  PlanMaker& maker_;
  PlanScorer& scorer_;
  TuneCheckpoint& checkpoint_;
  const ProgressCallback& progress_;
  TuneResult* result_ = nullptr;
  Scored baseline_;
  std::vector<Plan> plans_;  // the recipe's, then one per fallback format
  std::vector<FallbackUnit> units_;
  std::optional<CostModel> costs_;
  std::vector<Move> order_;
  std::map<std::string, size_t> index_of_;  // index of an assignment's evaluation
  Assignment chosen_;
};

}  // namespace fp8q
