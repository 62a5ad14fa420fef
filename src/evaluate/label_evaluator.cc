#include "evaluate/label_evaluator.h"

#include <cmath>

#include "base/error.h"

namespace fp8q {
namespace {

void check_finite(std::span<const float> values, size_t example) {
  for (const float value : values)
    if (!std::isfinite(value))
      fail(ErrorCode::bad_model, "the model gives logits that are not finite for example {}",
           example);
}

bool is_accuracy_alone(const Task& task) {
  return task.metrics.size() == 1 && task.metrics[0] == MetricKind::accuracy;
}

}  // namespace

size_t answering_index(const RunResult& run, const std::string& name) {
  for (size_t o = 0; o < run.outputs.size(); ++o)
    if (!run.outputs[o].per_token && (name.empty() || run.outputs[o].name == name)) return o;
  std::vector<std::string> names;
  for (const auto& output : run.outputs) names.push_back(printable(output.name));
  fail(ErrorCode::bad_data,
       "the model gives no logits per example (its outputs are {}, per token); this task needs a "
       "model with a classification or regression head",
       fmt::join(names, ", "));
}

Answers predict(const Task& task, const LabelMap& labels, const RunResult& run, size_t output) {
  Answers answers;
  for (size_t e = 0; e < run.examples.size(); ++e) {
    const std::vector<float>& logits = run.examples[e][output];
    check_finite(logits, e);
    double value = logits[labels.logit_of_class[0]];
    if (!task.is_regression()) {
      size_t best = 0;
      for (size_t c = 1; c < labels.logit_of_class.size(); ++c)
        if (logits[labels.logit_of_class[c]] > logits[labels.logit_of_class[best]]) best = c;
      value = static_cast<double>(best);
    }
    answers.values.push_back(value);
    answers.logits.push_back(logits);
  }
  return answers;
}

void judge_labels(const Task& task, std::span<const Example> examples, Answers& answers) {
  if (!task.is_regression())
    for (const double value : answers.values)
      answers.texts.push_back(task.classes[static_cast<size_t>(value)].front());
  if (is_accuracy_alone(task))
    for (size_t e = 0; e < examples.size(); ++e)
      answers.right.push_back(answers.values[e] == examples[e].gold);
}

LabelEvaluator::LabelEvaluator(const Task& task, std::span<const Example> examples,
                               AnsweringOutput output)
    : task_(task), examples_(examples), output_(std::move(output)) {}

Sequences LabelEvaluator::sequences(const Tokenizer& tokenizer, size_t max_length) const {
  return whole_sequences(tokenizer, examples_, max_length);
}

Answers LabelEvaluator::answers(const Sequences&, const RunResult& run,
                                const ModelConfig& config) const {
  const size_t output = answering_index(run, output_.name);
  const LabelMap labels =
      match_labels(task_, config, static_cast<size_t>(run.outputs[output].width));
  Answers answers = predict(task_, labels, run, output);
  judge_labels(task_, examples_, answers);
  for (const std::string& note : {output_.note, labels.note})
    if (!note.empty()) answers.notes.push_back(note);
  return answers;
}

TaskScore LabelEvaluator::score(const Answers& answers, std::span<const uint32_t> sample) const {
  std::vector<double> gold, predicted;
  gold.reserve(sample.size());
  predicted.reserve(sample.size());
  for (const uint32_t e : sample) {
    gold.push_back(examples_[e].gold);
    predicted.push_back(answers.values[e]);
  }
  return score_task(task_, gold, predicted);
}

std::string LabelEvaluator::gold(size_t example) const {
  const double gold = examples_[example].gold;
  if (task_.is_regression()) return fmt::format("{}", gold);
  return task_.classes[static_cast<size_t>(gold)].front();
}

Sequences EmbeddingEvaluator::sequences(const Tokenizer& tokenizer, size_t max_length) const {
  return separate_sequences(tokenizer, examples_, max_length);
}

Answers EmbeddingEvaluator::answers(const Sequences& sequences, const RunResult& run,
                                    const ModelConfig&) const {
  Answers answers;
  const size_t output = answering_index(run, output_.name);
  for (size_t e = 0; e < sequences.examples(); ++e) {
    const auto& a = run.examples[sequences.first[e]][output];
    const auto& b = run.examples[sequences.first[e] + 1][output];
    check_finite(a, e);
    check_finite(b, e);
    const double similarity = cosine(a, b);
    answers.values.push_back(similarity);
    answers.logits.push_back({static_cast<float>(similarity)});
  }
  answers.notes.push_back(output_.note);
  return answers;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += double{a[i]} * double{b[i]};
    aa += double{a[i]} * double{a[i]};
    bb += double{b[i]} * double{b[i]};
  }
  const double norms = std::sqrt(aa) * std::sqrt(bb);
  return norms > 0 ? ab / norms : 0;
}

}  // namespace fp8q
