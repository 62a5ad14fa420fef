#include "evaluate/span_evaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace fp8q {
namespace {

constexpr const char* kNoAnswer = "(no answer)";

// Describes the best answer of all windows of one question.
struct Decoded {
  std::string text;
  double score = -std::numeric_limits<double>::infinity();
  double null_score = std::numeric_limits<double>::infinity();
};

void check_finite(const std::vector<float>& logits, const std::string& id) {
  for (const float logit : logits)
    if (!std::isfinite(logit))
      fail(ErrorCode::bad_model, "the model gives logits that are not finite for question {}",
           printable(id));
}

}  // namespace

SpanOutputs::SpanOutputs(const std::vector<OutputInfo>& outputs) {
  std::vector<size_t> single;
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (!outputs[o].per_token) continue;
    if (outputs[o].width == 1) single.push_back(o);
    if (outputs[o].width == 2 && outputs.size() == 1) return;
  }
  if (single.size() != 2) {
    std::vector<std::string> names;
    for (const auto& o : outputs)
      names.push_back(fmt::format("{} ({}{})", printable(o.name), o.width,
                                  o.per_token ? " per token" : " per example"));
    fail(ErrorCode::bad_data,
         "the model gives no start and end logits (its outputs are {}); this task needs a model "
         "with "
         "a question answering head",
         fmt::join(names, ", "));
  }
  start_ = single[0];
  end_ = single[1];
  // Exporters write start before end, unless the names of the outputs say otherwise.
  if (outputs[start_].name.find("end") != std::string::npos &&
      outputs[end_].name.find("start") != std::string::npos)
    std::swap(start_, end_);
}

SpanOutputs::Logits SpanOutputs::of(const ExampleOutputs& outputs) const {
  if (start_ != end_) return {outputs[start_], outputs[end_]};
  Logits logits;
  const std::vector<float>& both = outputs[start_];
  for (size_t i = 0; i + 1 < both.size(); i += 2) {
    logits.start.push_back(both[i]);
    logits.end.push_back(both[i + 1]);
  }
  return logits;
}

SpanEvaluator::SpanEvaluator(const Task& task, std::span<const Example> examples,
                             const EvaluatorSettings& settings)
    : task_(task), examples_(examples), settings_(settings) {}

Sequences SpanEvaluator::sequences(const Tokenizer& tokenizer, size_t max_length) const {
  WindowSettings windows = settings_.windows;
  windows.max_length = max_length;
  return question_windows(tokenizer, examples_, windows);
}

Answers::SpanAnswer SpanEvaluator::worth(const Example& example, const std::string& answer,
                                         const std::string& best) const {
  const bool unanswerable = task_.has_unanswerable;
  Answers::SpanAnswer worth;
  worth.score = score_answer(answer, example.answers, unanswerable);
  worth.best_span = score_answer(best, example.answers, unanswerable);
  return worth;
}

Answers SpanEvaluator::answers(const Sequences& sequences, const RunResult& run,
                               const ModelConfig&) const {
  const SpanOutputs outputs(run.outputs);
  Answers answers;
  for (size_t e = 0; e < examples_.size(); ++e) {
    const Example& example = examples_[e];
    Decoded decoded;
    for (size_t w = sequences.first[e]; w < sequences.first[e + 1]; ++w) {
      const Encoding& window = sequences.encodings[w];
      const SpanOutputs::Logits logits = outputs.of(run.examples[w]);
      check_finite(logits.start, example.id);
      check_finite(logits.end, example.id);
      const SpanLogits views{logits.start, logits.end};
      decoded.null_score = std::min(decoded.null_score, null_score(views));
      const auto span = best_span(window, views, text_tokens(window), settings_.spans);
      if (!span || span->score <= decoded.score) continue;
      decoded.score = span->score;
      decoded.text = substring(*example.pair, span->range);
    }
    const double difference = decoded.null_score - decoded.score;
    const bool answered = !task_.has_unanswerable || difference <= settings_.null_threshold;
    const std::string text = answered ? decoded.text : "";
    answers.spans.push_back(worth(example, text, decoded.text));
    // If there is no span, nothing is compared with "no answer", which is then the answer.
    answers.spans.back().null_difference =
        std::isfinite(difference) ? difference : std::numeric_limits<double>::max();
    answers.texts.push_back(text);
  }
  return answers;
}

TaskScore SpanEvaluator::score(const Answers& answers, std::span<const uint32_t> sample) const {
  double exact = 0, f1 = 0;
  for (const uint32_t e : sample) {
    exact += answers.spans[e].score.exact;
    f1 += answers.spans[e].score.f1;
  }
  const double count = static_cast<double>(sample.size());
  return {{{"exact_match", exact / count}, {"f1", f1 / count}}, 100 * f1 / count};
}

std::vector<std::pair<std::string, double>> SpanEvaluator::details(const Answers& answers) const {
  if (!task_.has_unanswerable) return {};
  size_t with_answer = 0;
  AnswerScore has, no;
  std::vector<ThresholdCase> exact, f1;
  for (size_t e = 0; e < examples_.size(); ++e) {
    const Answers::SpanAnswer& span = answers.spans[e];
    const AnswerScore none = score_answer("", examples_[e].answers, true);
    const bool answerable = none.exact == 0;
    AnswerScore& sum = answerable ? has : no;
    sum.exact += span.score.exact;
    sum.f1 += span.score.f1;
    with_answer += answerable;
    exact.push_back({span.null_difference, span.best_span.exact, none.exact});
    f1.push_back({span.null_difference, span.best_span.f1, none.f1});
  }
  const BestThreshold best_exact = best_threshold(exact), best_f1 = best_threshold(f1);
  std::vector<std::pair<std::string, double>> details = {
      {"best_exact_match", best_exact.score},
      {"best_exact_match_threshold", best_exact.threshold},
      {"best_f1", best_f1.score},
      {"best_f1_threshold", best_f1.threshold}};
  if (with_answer > 0) {
    const auto count = static_cast<double>(with_answer);
    details.emplace_back("has_answer_exact_match", has.exact / count);
    details.emplace_back("has_answer_f1", has.f1 / count);
  }
  if (with_answer < examples_.size()) {
    const auto count = static_cast<double>(examples_.size() - with_answer);
    details.emplace_back("no_answer_accuracy", no.exact / count);
  }
  return details;
}

std::string SpanEvaluator::gold(size_t example) const {
  std::vector<std::string> distinct;
  for (const std::string& answer : examples_[example].answers)
    if (std::ranges::find(distinct, answer) == distinct.end()) distinct.push_back(answer);
  if (distinct.empty()) return kNoAnswer;
  return fmt::format("{}", fmt::join(distinct, " / "));
}

}  // namespace fp8q
