// Reads and writes the file of an evaluation. It does not store what follows from its other
// content, such as the name of a label and whether the label is right.
#include <cmath>

#include "base/error.h"
#include "evaluate/evaluation.h"
#include "evaluate/label_evaluator.h"
#include "json/sealed.h"

namespace fp8q {
namespace {

using json::Tree;
using json::Value;

constexpr std::string_view kSchema = "fp8q/evaluation/1";
constexpr json::Kind kKind{.what = "a part of an evaluation",
                           .remedy =
                               "the file is damaged or was changed by hand: run that shard "
                               "of fp8q eval again"};

size_t count(const Value& field) { return field.unsigned_integer(SIZE_MAX); }

Tree task_to_json(const Task& task) {
  return {{"name", task.name},
          {"spans", task.kind == TaskKind::spans},
          {"unanswerable", task.has_unanswerable},
          {"classes", task.classes},
          {"metrics",
           Tree::list(task.metrics, [](MetricKind m) { return std::string(metric_name(m)); })}};
}

Task task_from_json(const Value& field) {
  field.with_members(5);
  Task task;
  task.name = field["name"].string();
  task.kind = field["spans"].boolean() ? TaskKind::spans : TaskKind::labels;
  task.has_unanswerable = field["unanswerable"].boolean();
  task.classes = json::list_of(field["classes"], [](const Value& names) {
    if (names.size() == 0) names.reject("names no label");
    return json::strings(names);
  });
  task.metrics = json::list_of(field["metrics"], [&](const Value& name) {
    const auto metric = find_metric(name.string());
    if (!metric) name.reject("is no metric");
    if (is_correlation(*metric) != task.is_regression())
      name.reject("does not fit the task's labels");
    return *metric;
  });
  if (task.kind == TaskKind::labels && task.metrics.empty())
    field["metrics"].reject("lists no metric");
  return task;
}

// Writes a class, or the number of a regression task.
Tree label_to_json(const Task& task, double value) {
  if (task.is_regression()) return value;
  return static_cast<uint64_t>(value);
}

double label_from_json(const Task& task, const Value& field) {
  if (task.is_regression()) return field.finite_double();
  return static_cast<double>(field.unsigned_integer(task.classes.size() - 1));
}

Tree example_to_json(const Task& task, const Example& e) {
  if (task.kind == TaskKind::spans) return {{"id", e.id}, {"text", e.text}, {"answers", e.answers}};
  return {{"text", e.text}, {"pair", e.pair}, {"gold", label_to_json(task, e.gold)}};
}

Example example_from_json(const Task& task, const Value& field) {
  field.with_members(3);
  Example e;
  e.text = field["text"].string();
  if (task.kind == TaskKind::spans) {
    e.id = field["id"].string();
    e.answers = json::strings(field["answers"]);
  } else {
    if (const auto pair = field["pair"].unless_null()) e.pair = pair->string();
    e.gold = label_from_json(task, field["gold"]);
  }
  return e;
}

Tree answers_to_json(const Task& task, const Answers& answers) {
  Tree rows = Tree::list();
  for (size_t e = 0; e < answers.spans.size(); ++e) {
    const Answers::SpanAnswer& span = answers.spans[e];
    rows.push_back({{"text", answers.texts[e]},
                    {"exact", span.score.exact},
                    {"f1", span.score.f1},
                    {"null_difference", span.null_difference},
                    {"best_exact", span.best_span.exact},
                    {"best_f1", span.best_span.f1}});
  }
  for (size_t e = 0; e < answers.values.size(); ++e)
    rows.push_back(
        {{"label", label_to_json(task, answers.values[e])}, {"logits", answers.logits[e]}});
  return rows;
}

Answers answers_from_json(const Task& task, const std::vector<Example>& examples,
                          const Value& rows) {
  if (rows.size() != examples.size())
    rows.reject(fmt::format("has {} rows for {} examples", rows.size(), examples.size()));
  Answers answers;
  for (size_t e = 0; e < rows.size(); ++e) {
    const Value row = rows.at(e);
    if (task.kind == TaskKind::spans) {
      row.with_members(6);
      const auto number = [&](const char* key) { return row[key].finite_double(); };
      answers.spans.push_back({.score = {number("exact"), number("f1")},
                               .null_difference = number("null_difference"),
                               .best_span = {number("best_exact"), number("best_f1")}});
      answers.texts.push_back(row["text"].string());
    } else {
      row.with_members(2);
      answers.values.push_back(label_from_json(task, row["label"]));
      answers.logits.push_back(
          json::list_of(row["logits"], [](const Value& logit) { return logit.finite_float(); }));
    }
  }
  if (task.kind == TaskKind::labels) judge_labels(task, examples, answers);
  return answers;
}

Tree run_to_json(const Task& task, const ModelRun& run) {
  return {{"path", run.file.path.string()},
          {"sha256", run.file.sha256},
          {"bytes", run.file.bytes},
          {"format", run.format},
          {"tokenizer_sha256", run.tokenizer_sha256},
          {"config_sha256", run.config_sha256},
          {"sequences", run.sequences},
          {"tokens", run.tokens},
          {"seconds", run.seconds},
          {"engine", run.engine},
          {"kernels", Tree::list(run.kernels,
                                 [](const KernelFacts& k) {
                                   return Tree::list({k.path, k.requested, k.effective});
                                 })},
          {"rounding", Tree::list(run.rounding,
                                  [](const RoundingCounts& r) {
                                    return Tree{{"path", r.path},
                                                {"format", r.format},
                                                {"values", r.counts.values},
                                                {"saturated", r.counts.saturated},
                                                {"underflowed", r.counts.underflowed}};
                                  })},
          {"answers", answers_to_json(task, run.answers)},
          {"notes", run.notes}};
}

RoundingCounts rounding_from_json(const Value& field) {
  field.with_members(5);
  const auto number = [&](const char* key) { return field[key].unsigned_integer(); };
  return {field["path"].string(),
          field["format"].string(),
          {number("values"), number("saturated"), number("underflowed")}};
}

ModelRun run_from_json(const Task& task, const std::vector<Example>& examples, const Value& field) {
  field.with_members(14);
  return {
      .file = {field["path"].string(), field["sha256"].string(), field["bytes"].unsigned_integer()},
      .format = field["format"].string(),
      .tokenizer_sha256 = field["tokenizer_sha256"].string(),
      .config_sha256 = field["config_sha256"].string(),
      .answers = answers_from_json(task, examples, field["answers"]),
      .sequences = count(field["sequences"]),
      .tokens = count(field["tokens"]),
      .seconds = field["seconds"].finite_double(),
      .kernels =
          json::list_of(field["kernels"],
                        [](const Value& k) {
                          return KernelFacts{k.at(0).string(), k.at(1).string(), k.at(2).string()};
                        }),
      .rounding = json::list_of(field["rounding"], rounding_from_json),
      .engine = field["engine"].string(),
      .notes = json::strings(field["notes"])};
}

Tree model_to_json(const Task& task, const TestedModel& model) {
  const ExecutionFacts& execution = model.execution;
  return {{"run", run_to_json(task, model.run)},
          {"baseline", model.baseline},
          {"device", execution.device},
          {"threads", execution.threads},
          {"elapsed_s", execution.elapsed_s},
          {"peak_rss_bytes", execution.peak_rss_bytes},
          {"notes", model.notes}};
}

TestedModel model_from_json(const Evaluation& e, const Value& field) {
  field.with_members(7);
  TestedModel model;
  model.run = run_from_json(e.task, e.examples, field["run"]);
  if (const auto baseline = field["baseline"].unless_null()) {
    model.baseline = count(*baseline);
    if (*model.baseline >= e.baselines.size()) baseline->reject("is none of the baselines");
  }
  model.execution = {.device = field["device"].string(),
                     .description = model.run.engine,
                     .threads = static_cast<int>(field["threads"].unsigned_integer(INT32_MAX)),
                     .elapsed_s = field["elapsed_s"].finite_double(),
                     .peak_rss_bytes = field["peak_rss_bytes"].unsigned_integer()};
  model.notes = json::strings(field["notes"]);
  return model;
}

Tree content_of(const Evaluation& e) {
  return {
      {"version", e.version},
      {"task", task_to_json(e.task)},
      {"split", e.split},
      {"data",
       {{"path", e.data.path.string()}, {"sha256", e.data.sha256}, {"builtin", e.data.builtin}}},
      {"options", Tree::list(e.options,
                             [](const auto& option) {
                               return Tree::list({option.first, option.second});
                             })},
      {"seed", e.seed},
      {"part", json::to_json(e.part)},
      {"examples",
       Tree::list(e.examples, [&](const Example& x) { return example_to_json(e.task, x); })},
      {"baselines",
       Tree::list(e.baselines, [&](const ModelRun& run) { return run_to_json(e.task, run); })},
      {"models",
       Tree::list(e.models, [&](const TestedModel& m) { return model_to_json(e.task, m); })}};
}

}  // namespace

std::string to_json(const Evaluation& evaluation) {
  const std::string content = content_of(evaluation).text({.sorted = true});
  return json::seal(kSchema, content, content);
}

Evaluation evaluation_from_json(std::string_view bytes, const std::string& source) {
  const json::Document file = json::unseal(bytes, source, kSchema, kKind);
  const Value field = file.root()["content"].with_members(10);
  Evaluation e;
  e.version = field["version"].string();
  e.task = task_from_json(field["task"]);
  e.split = field["split"].string();
  const Value data = field["data"].with_members(3);
  e.data = {data["path"].string(), data["sha256"].string(), data["builtin"].boolean(), false};
  e.options = json::list_of(field["options"], [](const Value& option) {
    return std::pair(option.at(0).string(), option.at(1).string());
  });
  e.seed = field["seed"].unsigned_integer();
  e.examples = json::list_of(
      field["examples"], [&](const Value& example) { return example_from_json(e.task, example); });
  e.part = json::part_from_json(field["part"], static_cast<int64_t>(e.examples.size()));
  e.baselines = json::list_of(
      field["baselines"], [&](const Value& run) { return run_from_json(e.task, e.examples, run); });
  e.models =
      json::list_of(field["models"], [&](const Value& model) { return model_from_json(e, model); });
  if (e.models.empty()) field["models"].reject("lists no model");
  return e;
}

}  // namespace fp8q
