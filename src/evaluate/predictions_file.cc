#include "evaluate/predictions_file.h"

#include <algorithm>

#include "base/file.h"
#include "json/tree.h"

namespace fp8q {
namespace {

using json::Tree;

// Writes a class as an integer, and a regression value as a number.
Tree number(const Task& task, double value) {
  if (task.is_regression()) return value;
  return static_cast<int64_t>(value);
}

Tree label_line(const Task& task, size_t e, double gold, const Answers& answers) {
  return {{"index", e},
          {"gold", number(task, gold)},
          {"label", number(task, answers.values[e])},
          {"logits", answers.logits[e]}};
}

Tree span_line(const Task& task, size_t e, const std::string& id, const Answers& answers) {
  Tree line = {{"index", e}, {"id", id}, {"text", answers.texts[e]}};
  if (task.has_unanswerable) line["null_difference"] = answers.spans[e].null_difference;
  return line;
}

}  // namespace

void write_predictions(const std::filesystem::path& path, const Evaluation& evaluation) {
  const Task& task = evaluation.task;
  const std::vector<Example>& examples = evaluation.examples;
  const Answers& answers = evaluation.models.front().run.answers;
  std::string text;
  for (size_t e = 0; e < examples.size(); ++e) {
    const Tree line = task.kind == TaskKind::spans ? span_line(task, e, examples[e].id, answers)
                                                   : label_line(task, e, examples[e].gold, answers);
    // Text of the data may be ill-formed UTF-8.
    text += line.text() + "\n";
  }
  write_file_atomically(path, text);
}

bool is_predictions_file(const std::filesystem::path& path) {
  constexpr std::string_view kLabels = "{\"index\":0,\"gold\":";
  constexpr std::string_view kSpans = "{\"index\":0,\"id\":\"";
  return begins_with(path, kLabels) || begins_with(path, kSpans);
}

}  // namespace fp8q
