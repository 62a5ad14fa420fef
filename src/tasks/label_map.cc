#include "tasks/label_map.h"

#include <numeric>
#include <optional>

#include "base/error.h"

namespace fp8q {
namespace {

std::string list_labels(const std::vector<std::string>& labels) {
  std::string out;
  for (size_t i = 0; i < labels.size(); ++i)
    out += fmt::format("{}{} = {}", i ? ", " : "", i, printable(labels[i]));
  return out;
}

std::string config_name(const ModelConfig& config) {
  return config.path.empty() ? "the model (it has no config.json)"
                             : printable(config.path.string());
}

[[noreturn]] void fail_mismatch(const Task& task, const ModelConfig& config,
                                const std::string& found) {
  const std::string other = config.finetuning_task && *config.finetuning_task != task.name
                                ? fmt::format(" (config.json says it was made for \"{}\")",
                                              printable(*config.finetuning_task))
                                : "";
  fail(ErrorCode::bad_data,
       "{}: {}{}, but task {} needs {}; choose the task the model was made for with --task, or "
       "correct {} (another file: --config PATH)",
       config_name(config), found, other, task.name, task.describe_labels(), config.labels_from);
}

// Tells the class that a label stands for by itself: by its name, or by its number written as "1"
// or "LABEL_1".
struct Meaning {
  std::optional<size_t> class_index;
  bool generic = false;
};

Meaning meaning_of(const Task& task, const std::string& label) {
  if (const auto c = task.class_of(label)) return {c, false};
  for (size_t c = 0; c < task.classes.size(); ++c)
    if (label == std::to_string(c) || label == fmt::format("LABEL_{}", c)) return {c, true};
  return {};
}

LabelMap assumed_order(const Task& task, const std::string& why) {
  LabelMap map;
  map.logit_of_class.resize(task.outputs());
  std::iota(map.logit_of_class.begin(), map.logit_of_class.end(), size_t{0});
  map.note = fmt::format("{}; the outputs are taken as {}", why, task.describe_labels());
  return map;
}

// Returns whether the classes have no names but their numbers, which are those of the outputs.
bool only_numbered(const Task& task) {
  for (size_t c = 0; c < task.classes.size(); ++c)
    if (task.classes[c] != std::vector{std::to_string(c)}) return false;
  return true;
}

}  // namespace

void require_known_labels(const Task& task, const ModelConfig& config) {
  if (!config.path.empty() || !config.id2label.empty() || only_numbered(task)) return;
  fail(ErrorCode::bad_data,
       "the model has no config.json, so nothing tells which output stands for which class of task "
       "{} ({}); name the file with --config PATH, or the label of each output, in order, with "
       "--labels NAMES",
       task.name, task.describe_labels());
}

LabelMap match_labels(const Task& task, const ModelConfig& config, size_t outputs) {
  const std::string told =
      config.id2label.empty() ? "" : fmt::format(" ({})", list_labels(config.id2label));
  if (!task.is_regression() && config.problem_type == "multi_label_classification")
    fail(
        ErrorCode::bad_data,
        "{}: \"problem_type\" is multi_label_classification, so an example may have several "
        "labels, "
        "while fp8q scores the one label that an example of task {} has; if the model's classes do "
        "exclude each other, correct \"problem_type\" (another file: --config PATH)",
        config_name(config), task.name);
  if (outputs != task.outputs())
    fail_mismatch(
        task, config,
        fmt::format("the model has {} output{}{}", outputs, outputs == 1 ? "" : "s", told));
  if (task.is_regression()) return {.logit_of_class = {0}, .note = ""};
  const std::vector<std::string>& labels = config.labels();
  if (config.problem_type == "regression")
    fail_mismatch(task, config, "\"problem_type\" is regression");
  require_known_labels(task, config);
  if (labels.empty()) return assumed_order(task, "the model does not name its labels");
  if (labels.size() != outputs)
    fail_mismatch(task, config,
                  fmt::format("{} has {} labels{} for {} outputs", config.labels_from,
                              labels.size(), told, outputs));
  std::vector<std::optional<size_t>> logit_of_class(outputs);
  bool generic = false;
  for (size_t logit = 0; logit < outputs; ++logit) {
    const Meaning meaning = meaning_of(task, labels[logit]);
    if (!meaning.class_index || logit_of_class[*meaning.class_index])
      fail_mismatch(task, config, fmt::format("the model's labels are {}", list_labels(labels)));
    logit_of_class[*meaning.class_index] = logit;
    generic |= meaning.generic;
  }
  LabelMap map;
  for (const auto& logit : logit_of_class) map.logit_of_class.push_back(*logit);
  if (generic)
    map.note = fmt::format("the model's labels are only numbered ({}); they are taken as {}",
                           list_labels(labels), task.describe_labels());
  return map;
}

}  // namespace fp8q
