#include "evaluate/evaluation_score.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/memory_plan.h"
#include "base/stopwatch.h"
#include "evaluate/score.h"

namespace fp8q {
namespace {

// Holds a model's run and its score.
struct ScoredRun {
  Scores scores;
  Scored scored;
  std::vector<std::string> notes;
};

Scores scores_of(const ModelRun& run, const Scored& scored) {
  Scores scores;
  scores.model = run.file;
  scores.format = run.format;
  const auto& metrics = scored.score.metrics;
  for (size_t m = 0; m < metrics.size(); ++m) {
    const auto& [name, value] = metrics[m];
    scores.metrics[name] = value;
    scores.metrics_ci95[name] = {scored.metrics_ci95[m].low, scored.metrics_ci95[m].high};
  }
  for (const auto& [name, value] : scored.details) scores.metrics[name] = value;
  scores.score = scored.score.score;
  scores.ci95_low = scored.ci95.low;
  scores.ci95_high = scored.ci95.high;
  return scores;
}

ScoredRun score_run(const Evaluation& evaluation, const Evaluator& evaluator, const ModelRun& run) {
  const size_t examples = evaluation.examples.size();
  ScoredRun result;
  try {
    result.scored = score_answers(evaluator, examples, run.answers, evaluation.seed);
  } catch (const Error& e) {
    throw e.with_context(run.file.path.string());
  }
  Scores& scores = result.scores;
  scores = scores_of(run, result.scored);
  scores.examples_per_s = static_cast<double>(examples) / run.seconds;
  scores.tokens_per_s = static_cast<double>(run.tokens) / run.seconds;
  scores.kernels = run.kernels;
  scores.rounding = rounding_facts(run.rounding);
  scores.engine = run.engine;
  result.notes = run.notes;
  add_rounding_notes(run.file.path.filename().string(), scores.rounding, result.notes);
  return result;
}

ScoreDifference difference_of(const Evaluation& evaluation, const Evaluator& evaluator,
                              const Scored& tested, const Scored& baseline) {
  const Difference d = compare(tested, baseline);
  ScoreDifference difference{d.score, d.ci95.low, d.ci95.high, d.p_value, d.test, {}};
  const std::vector<Example>& examples = evaluation.examples;
  const auto shown = [](const std::string& answer) {
    return answer.empty() ? std::string("(no answer)") : answer;
  };
  if (!d.flips) return difference;
  difference.flips.emplace();
  for (const size_t e : *d.flips)
    difference.flips->push_back({.index = e,
                                 .text = examples[e].text,
                                 .pair = examples[e].pair.value_or(""),
                                 .gold = evaluator.gold(e),
                                 .baseline = shown(baseline.answers.texts[e]),
                                 .model = shown(tested.answers.texts[e])});
  return difference;
}

void add(std::vector<std::string>& notes, const std::vector<std::string>& more) {
  notes.insert(notes.end(), more.begin(), more.end());
}

}  // namespace

std::vector<EvaluateResult> score_evaluation(const Evaluation& evaluation) {
  FP8Q_ASSERT(evaluation.part.whole());
  if (evaluation.examples.empty()) fail(ErrorCode::bad_data, "there are no examples to score");
  const auto evaluator = make_evaluator(evaluation.task, evaluation.examples, {});
  std::vector<std::optional<ScoredRun>> baselines(evaluation.baselines.size());
  std::vector<EvaluateResult> results;
  for (const TestedModel& model : evaluation.models) {
    const Stopwatch watch;
    EvaluateResult& result = results.emplace_back();
    result.notes = model.notes;
    const ScoredRun* baseline = nullptr;
    if (model.baseline) {
      auto& scored = baselines[*model.baseline];
      if (!scored) {
        scored = score_run(evaluation, *evaluator, evaluation.baselines[*model.baseline]);
        add(result.notes, scored->notes);
      }
      baseline = &*scored;
    }
    const ScoredRun tested = score_run(evaluation, *evaluator, model.run);
    add(result.notes, tested.notes);
    result.scores = tested.scores;
    if (baseline) {
      result.baseline = baseline->scores;
      result.difference = difference_of(evaluation, *evaluator, tested.scored, baseline->scored);
    }
    result.task = evaluation.task.name;
    result.split = evaluation.split;
    result.data = evaluation.data;
    result.examples = evaluation.examples.size();
    result.sequences = model.run.sequences;
    result.tokens = model.run.tokens;
    result.execution = model.execution;
    result.execution.elapsed_s += watch.seconds();
    result.execution.peak_rss_bytes = std::max(result.execution.peak_rss_bytes, peak_rss_bytes());
    result.execution.planned_bytes = planned_memory_bytes();
  }
  return results;
}

}  // namespace fp8q
