#include "study/tuning.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "quantize/choice.h"

namespace fp8q {

Interval difference_interval(const Scored& tested, const Scored& baseline, size_t examples,
                             double confidence) {
  const std::vector<double> differences = paired_differences(tested.resampled, baseline.resampled);
  Interval interval = percentile_interval(differences, confidence);
  if (std::ranges::min(differences) == std::ranges::max(differences)) {
    const double unseen =
        100 * (1 - std::pow((1 - confidence) / 2, 1 / static_cast<double>(examples)));
    interval.low -= unseen;
    interval.high += unseen;
  }
  return interval;
}

void Tuning::run(const TuneInputs& inputs, TuneResult& result) {
  baseline_ = scorer_.float_model(step("scoring the float model"));
  result.baseline = baseline_.score.score;
  result.allowed = request_.max_drop * (request_.relative ? std::fabs(result.baseline) / 100 : 1.0);
  result_ = &result;
  plan_units(inputs);
  // Most recipes meet the demand as they are. There is then no harm to estimate.
  const Assignment recipe(units_.size(), 0);
  if (meets(recipe)) return choose(recipe);
  order_ = moves(inputs.text);
  // The last fallback to floating point would leave nothing quantized.
  const SearchResult found =
      search_plan(units_.size(), order_, {order_.size() - 1, request_.evaluations},
                  [&](const Assignment& assignment) { return meets(assignment); });
  if (found.assignment) choose(*found.assignment);
}

std::vector<Move> Tuning::moves(const SensitivityInputs& text) {
  std::vector<double> trials = checkpoint_.trials();
  return estimate_moves({*maker_.source().encoder, plans_, units_, *costs_, text}, trials,
                        [&](size_t done, size_t total) {
                          checkpoint_.keep_trials(trials, done == total);
                          if (progress_) progress_("estimating harm", done, total);
                        });
}

Progress Tuning::step(std::string name) const {
  return [this, name = std::move(name)](size_t done, size_t total) {
    if (progress_) progress_(name, done, total);
  };
}

PlanRequest Tuning::recipe_in(std::optional<Format> other) const {
  return maker_.request(*request_.recipe, other, request_.plan);
}

void Tuning::plan_units(const TuneInputs& inputs) {
  const auto add = [&](std::optional<Format> format) {
    plans_.push_back(maker_.plan(recipe_in(format)));
  };
  add(std::nullopt);
  for (const Format format : request_.fallback) add(format);
  const GraphIndex index(maker_.source().model.graph);
  units_ = fallback_units(index, sites(), plans_.front(), inputs.sizes);
  if (units_.size() < 2)
    fail(ErrorCode::unsupported,
         "recipe {} quantizes {} of this model's products: there is nothing "
         "to choose",
         request_.recipe->name, units_.size());
  costs_.emplace(inputs.speeds(), units_);
}

std::optional<Format> Tuning::format_at(size_t unit, size_t step) const {
  if (step == plans_.size()) return std::nullopt;
  return plans_[step].sites[units_[unit].sites.front()].format;
}

std::string Tuning::reason_of(size_t unit, size_t step) const {
  double harm = 0, all = 0;
  for (const Move& move : order_) {
    all += move.harm;
    if (move.unit == unit && move.step <= step) harm += move.harm;
  }
  // The estimate is from few examples, so digits after the point would claim too much precision.
  const double percent = all > 0 ? 100 * harm / all : 0;
  return fmt::format("tune: {} instead of {} takes away {} of the estimated harm",
                     name_of(format_at(unit, step)), name_of(format_at(unit, 0)),
                     percent < 1 ? "less than 1 %" : fmt::format("about {:.0f} %", percent));
}

Plan Tuning::plan_of(const Assignment& assignment) {
  PlanRequest request = recipe_in(std::nullopt);
  for (size_t u = 0; u < units_.size(); ++u) {
    if (assignment[u] == 0) continue;
    request.mixed = true;
    for (const size_t s : units_[u].sites) {
      request.sites[s].format = format_at(u, assignment[u]);
      request.sites[s].reason = reason_of(u, assignment[u]);
    }
  }
  return maker_.plan(request);
}

bool Tuning::meets(const Assignment& assignment) {
  const std::string key = text_of(assignment);
  if (const auto known = index_of_.find(key); known != index_of_.end())
    return result_->evaluations[known->second].meets;
  const Plan plan = plan_of(assignment);
  const KeptEvaluation* kept = checkpoint_.find(key);
  const bool from_checkpoint = kept != nullptr;
  if (!kept) {
    checkpoint_.keep(key, evaluated(plan));
    kept = checkpoint_.find(key);
  }
  const double tested = request_.confidence ? kept->low : kept->difference;
  TuneEvaluation e{.score = kept->score,
                   .difference = kept->difference,
                   .low = kept->low,
                   .high = kept->high,
                   // The tolerance is for sums of the same numbers in another order.
                   .meets = tested >= -result_->allowed - 1e-9,
                   .from_checkpoint = from_checkpoint};
  e.fallbacks =
      static_cast<size_t>(std::ranges::count_if(assignment, [](size_t step) { return step > 0; }));
  e.quantized = static_cast<size_t>(std::ranges::count_if(plan.sites, &SitePlan::quantized));
  for (size_t u = 0; u < units_.size(); ++u)
    e.time += costs_->time(units_[u], format_at(u, assignment[u]));
  index_of_[key] = result_->evaluations.size();
  result_->evaluations.push_back(e);
  return e.meets;
}

KeptEvaluation Tuning::evaluated(const Plan& plan) {
  const Scored tested = scorer_.converted(
      plan, step(fmt::format("scoring plan {}", result_->evaluations.size() + 1)));
  const Interval interval = difference_interval(tested, baseline_, scorer_.examples(),
                                                request_.confidence.value_or(0.95));
  return {tested.score.score, tested.score.score - baseline_.score.score, interval.low,
          interval.high};
}

TuneHoldout Tuning::confirmed(PlanScorer& held_out) {
  TuneHoldout holdout{.examples = held_out.examples()};
  const Scored baseline = held_out.float_model(step("scoring the float model, held out"));
  const auto told = [&](const Scored& tested) {
    const Difference difference = compare(tested, baseline);
    const Interval interval = difference_interval(tested, baseline, held_out.examples(), 0.95);
    holdout.test = difference.test;
    return TuneHeldOut{.score = tested.score.score,
                       .low = tested.ci95.low,
                       .high = tested.ci95.high,
                       .difference = difference.score,
                       .difference_low = interval.low,
                       .difference_high = interval.high,
                       .p_value = difference.p_value};
  };
  holdout.baseline = {baseline.score.score, baseline.ci95.low, baseline.ci95.high};
  holdout.recipe = told(held_out.converted(plans_.front(), step("scoring the recipe, held out")));
  holdout.tuned = result_->fallbacks.empty()
                      ? holdout.recipe
                      : told(held_out.converted(plan(), step("scoring the plan, held out")));
  if (holdout.tuned.difference < -result_->allowed)
    result_->notes.push_back(fmt::format(
        "on the {} examples held out the plan loses {:.2f} points, more than the demand "
        "allows: search on more examples, or with --confidence",
        holdout.examples, -holdout.tuned.difference));
  return holdout;
}

void Tuning::choose(const Assignment& assignment) {
  chosen_ = assignment;
  result_->chosen = index_of_.at(text_of(assignment));
  for (size_t u = 0; u < units_.size(); ++u) {
    if (chosen_[u] == 0) continue;
    TuneFallback fallback{.unit = units_[u].name,
                          .sites = {},
                          .from = std::string(name_of(format_at(u, 0))),
                          .to = std::string(name_of(format_at(u, chosen_[u]))),
                          .reason = reason_of(u, chosen_[u])};
    for (const size_t s : units_[u].sites) fallback.sites.push_back(sites()[s].path);
    result_->fallbacks.push_back(std::move(fallback));
  }
  if (result_->fallbacks.empty() || request_.holds_out) return;
  result_->notes.push_back(fmt::format(
      "the plan was chosen by its score on these {} examples, which flatters it (one example is up "
      "to {:.2f} points); confirm it on others, with --holdout or `fp8q eval`",
      scorer_.examples(), 100.0 / static_cast<double>(scorer_.examples())));
}

}  // namespace fp8q
