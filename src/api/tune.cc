#include "fp8q/tune.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "api/calibration_text.h"
#include "api/model_statistics.h"
#include "api/plan_maker.h"
#include "api/run_facts.h"
#include "api/task_scorer.h"
#include "api/text_batches.h"
#include "api/text_inputs.h"
#include "api/tune_checkpoint.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/interruption.h"
#include "onnx/upgrade.h"
#include "quantize/choice.h"
#include "quantize/plan_file.h"
#include "quantize/rewrite.h"
#include "study/unit_harm.h"

namespace fp8q {
namespace {

constexpr int64_t kOutputOpset = 21;  // as convert writes

struct Request {
  const Recipe* recipe = nullptr;
  PlanOptions plan;
  std::vector<Format> fallback;
};

void check_numbers(const TuneOptions& options) {
  if (!(options.max_drop >= 0) || !std::isfinite(options.max_drop))
    fail(ErrorCode::usage, "--max-drop {}: must be 0 or more", options.max_drop);
  if (options.confidence && !(*options.confidence > 0 && *options.confidence < 1))
    fail(ErrorCode::usage, "--confidence {}: must lie between 0 and 1, as 0.95",
         *options.confidence);
  require_at_least("--examples", options.examples, 1);
  require_at_least("--batch", options.execution.batch, 1);
}

Request request_of(const TuneOptions& options) {
  check_numbers(options);
  Request request;
  request.recipe = recipe_named(options.recipe);
  if (!request.recipe) fail(ErrorCode::usage, "--recipe {}: no such recipe", options.recipe);
  request.plan.observer = ObserverChoice::parse(options.observer, "--observer");
  request.plan.quantize_head = options.quantize_head;
  for (const std::string& name : options.fallback) {
    const auto format = format_named(name);
    if (!format || *format == request.recipe->activations)
      fail(ErrorCode::usage, "--fallback: \"{}\" is {}", printable(name),
           format ? "what the recipe has already" : "no format");
    request.fallback.push_back(*format);
  }
  if (request.fallback.empty() && !options.float_only &&
      request.recipe->activations == Format::int8)
    request.fallback = {Format::e4m3};
  return request;
}

struct Paths {
  fs::path plan, checkpoint;
};

Paths paths_of(const TuneOptions& options, const fs::path& statistics) {
  const fs::path model = model_file(options.location.model);
  Paths paths{options.output, options.checkpoint};
  if (paths.plan.empty())
    paths.plan = fs::path(model).replace_extension(fmt::format(".{}-tuned.json", options.recipe));
  if (paths.checkpoint.empty()) paths.checkpoint = paths.plan.string() + ".checkpoint";
  std::vector<fs::path> inputs = files_of_model(options.location.model);
  inputs.push_back(statistics);
  if (options.data) inputs.push_back(*options.data);
  check_output({paths.plan, inputs, options.force}, is_plan_file);
  inputs.push_back(paths.plan);
  check_output({paths.checkpoint, inputs, options.force}, is_tune_checkpoint);
  return paths;
}

// Low and high end of the paired differences' interval of this confidence.
Interval interval_of(const Scored& tested, const Scored& baseline, double confidence) {
  std::vector<double> differences(tested.resampled.size());
  std::ranges::transform(tested.resampled, baseline.resampled, differences.begin(), std::minus());
  std::ranges::sort(differences);
  const auto at = [&](double share) {
    return differences[static_cast<size_t>(
        std::lround(share * static_cast<double>(differences.size() - 1)))];
  };
  return {at((1 - confidence) / 2), at((1 + confidence) / 2)};
}

class Tuning {
 public:
  Tuning(const TuneOptions& options, const Request& request, PlanMaker& maker,
         const TaskScorer& scorer, TuneCheckpoint& checkpoint, const ProgressCallback& progress)
      : options_(options),
        request_(request),
        maker_(maker),
        bundle_(maker.bundle()),
        scorer_(scorer),
        checkpoint_(checkpoint),
        progress_(progress) {}

  void run(const SensitivityInputs& text, const UnitSizes& sizes, TuneResult& result) {
    const auto engine = make_engine(bundle_, options_.execution, result.notes);
    baseline_ = scorer_.scored(*engine, step("scoring the float model"));
    result.baseline = baseline_.score.score;
    result.allowed =
        options_.max_drop * (options_.relative ? std::fabs(result.baseline) / 100 : 1.0);
    result_ = &result;
    plan_units(sizes, engine->roofs());
    order_ = checkpoint_.moves();
    if (order_.empty()) {
      order_ = estimate_moves({*bundle_.encoder, plans_, units_, *costs_, text},
                              [&](size_t done, size_t total) {
                                if (progress_) progress_("estimating harm", done, total);
                              });
      checkpoint_.keep_moves(order_);
    }
    // The last fallback to floating point would leave nothing quantised.
    const SearchResult found =
        search_plan(units_.size(), order_, {order_.size() - 1, options_.evaluations},
                    [&](const Assignment& assignment) { return meets(assignment); });
    if (!found.assignment) return;
    chosen_ = *found.assignment;
    result.chosen = index_of_.at(text_of(chosen_));
    tell_fallbacks();
  }

  // The Plan of the result.
  Plan plan() { return plan_of(chosen_); }

 private:
  Progress step(std::string name) const {
    return [this, name = std::move(name)](size_t done, size_t total) {
      if (progress_) progress_(name, done, total);
    };
  }

  PlanRequest recipe_in(std::optional<Format> other) const {
    return maker_.request(*request_.recipe, other, request_.plan);
  }

  void plan_units(const UnitSizes& sizes, const std::vector<Roof>& roofs) {
    const auto add = [&](std::optional<Format> format) {
      plans_.push_back(maker_.plan(recipe_in(format)));
    };
    add(std::nullopt);
    for (const Format format : request_.fallback) add(format);
    const GraphIndex index(bundle_.model.graph);
    units_ = fallback_units(index, bundle_.sites, plans_.front(), sizes);
    if (units_.size() < 2)
      fail(ErrorCode::unsupported,
           "recipe {} quantises {} of this model's products: there is nothing "
           "to choose",
           request_.recipe->name, units_.size());
    costs_.emplace(roofs, units_);
  }

  // Of the unit's first Site: all Sites of a unit change together.
  std::optional<Format> format_at(size_t unit, size_t step) const {
    if (step == plans_.size()) return std::nullopt;
    return plans_[step].sites[units_[unit].sites.front()].format;
  }

  // Why the unit is where it is; for people.
  std::string reason_of(size_t unit, size_t step) const {
    double harm = 0, all = 0;
    for (const Move& move : order_) {
      all += move.harm;
      if (move.unit == unit && move.step <= step) harm += move.harm;
    }
    return fmt::format("tune: {} instead of {} takes away {:.1f} % of the estimated harm",
                       name_of(format_at(unit, step)), name_of(format_at(unit, 0)),
                       all > 0 ? 100 * harm / all : 0);
  }

  Plan plan_of(const Assignment& assignment) {
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

  bool meets(const Assignment& assignment) {
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
    const double tested = options_.confidence ? kept->low : kept->difference;
    TuneEvaluation e{.score = kept->score,
                     .difference = kept->difference,
                     .low = kept->low,
                     .high = kept->high,
                     // A hair's breadth for sums of the same numbers in another order.
                     .meets = tested >= -result_->allowed - 1e-9,
                     .from_checkpoint = from_checkpoint};
    e.fallbacks = static_cast<size_t>(
        std::ranges::count_if(assignment, [](size_t step) { return step > 0; }));
    e.quantised = static_cast<size_t>(std::ranges::count_if(plan.sites, &SitePlan::quantized));
    for (size_t u = 0; u < units_.size(); ++u)
      e.time += costs_->time(units_[u], format_at(u, assignment[u]));
    index_of_[key] = result_->evaluations.size();
    result_->evaluations.push_back(e);
    return e.meets;
  }

  // The converted model, in memory, on the task.
  KeptEvaluation evaluated(const Plan& plan) {
    Bundle converted;
    converted.file = bundle_.file;
    converted.folder = bundle_.folder;
    converted.model = quantize_model(bundle_.model, bundle_.sites, plan);
    find_sites(converted);
    std::vector<std::string> notes;  // those of the float model were told
    const auto engine = make_engine(converted, options_.execution, notes);
    const Scored scored = scorer_.scored(
        *engine, step(fmt::format("scoring plan {}", result_->evaluations.size() + 1)));
    const Interval interval = interval_of(scored, baseline_, options_.confidence.value_or(0.95));
    return {scored.score.score, scored.score.score - baseline_.score.score, interval.low,
            interval.high};
  }

  void tell_fallbacks() {
    for (size_t u = 0; u < units_.size(); ++u) {
      if (chosen_[u] == 0) continue;
      TuneFallback fallback{.unit = units_[u].name,
                            .sites = {},
                            .from = std::string(name_of(format_at(u, 0))),
                            .to = std::string(name_of(format_at(u, chosen_[u]))),
                            .reason = reason_of(u, chosen_[u])};
      for (const size_t s : units_[u].sites) fallback.sites.push_back(bundle_.sites[s].path);
      result_->fallbacks.push_back(std::move(fallback));
    }
  }

  const TuneOptions& options_;
  const Request& request_;
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

// Everything that scores depend on.
std::string settings_of(const TuneOptions& options, const Request& request, const Bundle& bundle,
                        const fs::path& statistics, const TaskScorer& scorer,
                        const std::string& engine) {
  std::vector<std::string_view> fallback;
  for (const Format format : request.fallback) fallback.push_back(info(format).name);
  return fmt::format(
      "version {}, model {}, statistics {}, recipe {}, observer {}, head {}, fallback {}, task {} "
      "{}, data {}, examples {}, max length {}, seed {}, confidence {}, text {}, engine {}",
      version(), bundle.file.sha256, sha256_file(statistics), request.recipe->name,
      request.plan.observer.text(), request.plan.quantize_head, fmt::join(fallback, "+"),
      scorer.task().name, scorer.data().split, scorer.data().sha256, scorer.examples(),
      options.max_length.value_or(0), options.seed, options.confidence.value_or(0.95),
      options.examples, engine.substr(0, engine.find(',')));
}

Bundle open_float_encoder(const fs::path& location) {
  Bundle bundle = open_model(location);
  require_float_model(bundle);
  if (!bundle.encoder)
    fail(ErrorCode::unsupported,
         "{}: tune needs a model recognised as an encoder, which this is not ({})",
         printable(bundle.file.path.string()), printable(bundle.not_encoder_reason));
  upgrade_opset(bundle.model, kOutputOpset);
  find_sites(bundle);
  return bundle;
}

EvaluateOptions scoring_of(const TuneOptions& options) {
  return {.tokenizer = options.location.tokenizer,
          .config = options.location.config,
          .task = options.task,
          .split = options.split,
          .data = options.data,
          .limit = options.limit,
          .max_length = options.max_length,
          .seed = options.seed,
          .execution = options.execution};
}

}  // namespace

TuneResult tune(const TuneOptions& options, const ProgressCallback& progress) {
  const Stopwatch watch;
  const Request request = request_of(options);
  const fs::path statistics_file =
      statistics_path(model_file(options.location.model), options.statistics);
  const Paths paths = paths_of(options, statistics_file);
  TuneResult result;
  const Bundle bundle = open_float_encoder(options.location.model);
  const Statistics statistics = statistics_for(bundle, statistics_file);
  const TaskScorer scorer(bundle, scoring_of(options), result.notes);
  std::vector<std::string> text_notes;  // where its text comes from matters little
  const CalibrationText text = calibration_text({.location = options.location,
                                                 .data = options.data,
                                                 .task = options.task,
                                                 .examples = options.examples,
                                                 .max_length = options.max_length},
                                                bundle, text_notes);
  const SensitivityInputs inputs{.batches = batches_of(text.encodings, options.execution.batch),
                                 .every_token = bundle.encoder->head_kind == HeadKind::every_token,
                                 .score = nullptr};
  const std::string engine = make_engine(bundle, options.execution, text_notes)->description();
  TuneCheckpoint checkpoint(paths.checkpoint,
                            settings_of(options, request, bundle, statistics_file, scorer, engine),
                            options.restart);

  result.model = bundle.file;
  result.statistics = facts_of(statistics_file);
  result.recipe = request.recipe->name;
  result.task = scorer.task().name;
  const Dataset& data = scorer.data();
  result.split = data.split;
  result.data = {data.path, data.sha256, data.builtin, false};
  result.examples = scorer.examples();
  result.confidence = options.confidence;
  result.checkpoint = paths.checkpoint;
  PlanMaker maker(bundle, statistics);
  Tuning tuning(options, request, maker, scorer, checkpoint, progress);
  tuning.run(inputs,
             {.tokens = static_cast<double>(count_tokens(text.encodings)) /
                        static_cast<double>(text.encodings.size()),
              .hidden = static_cast<double>(bundle.encoder->hidden)},
             result);
  announce_checkpoint({});
  if (!result.evaluations.empty()) result.sites_in_recipe = result.evaluations.front().quantised;
  if (result.chosen) {
    Plan plan = tuning.plan();
    plan.source = {std::string(version()), bundle.file.path.filename().string(), bundle.file.sha256,
                   bundle.file.bytes, result.statistics.sha256};
    save_plan(plan, paths.plan);
    result.plan = paths.plan;
  }
  result.execution = execution_facts(watch, engine);
  return result;
}

}  // namespace fp8q
