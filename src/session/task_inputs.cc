#include "session/task_inputs.h"

#include <algorithm>

#include "base/error.h"
#include "session/answering_output.h"
#include "session/task_options.h"
#include "session/tokenizer.h"
#include "tasks/label_map.h"
#include "tasks/task_data.h"

namespace fp8q {
namespace {

// Returns the number of logits per example, or 0 if there are only embeddings.
size_t logits_of(const Bundle& bundle, const ModelConfig& config) {
  const AnsweringOutput answering = answering_output(bundle, config);
  if (answering.embedding) return 0;
  if (bundle.encoder)
    for (const EncoderOutput& output : bundle.encoder->outputs)
      if (output.name == answering.name && !output.column)
        return static_cast<size_t>(width_of(*bundle.encoder, output.rows));
  if (!config.labels().empty()) return config.labels().size();
  for (const ValueInfo& output : bundle.model.graph.outputs)
    if (output.has_shape && output.shape.size() == 2 && output.shape[1].value > 0)
      return static_cast<size_t>(output.shape[1].value);
  fail(ErrorCode::bad_data,
       "{}: how many labels the model has is not known; name them with --labels NAMES, or in its "
       "config.json (\"id2label\")",
       printable(bundle.file.path.string()));
}

Task user_task(const TaskRequest& request, const Bundle& bundle) {
  const UserTask table = user_table(request.task);
  const ModelConfig config = config_for(bundle, request);
  return make_user_task(table, config, logits_of(bundle, config));
}

// Throws an Error (usage) if labels are named that the task has no use for.
Task with_labels_checked(Task task, const std::vector<std::string>& labels) {
  if (!labels.empty() && task.classes.empty())
    fail(ErrorCode::usage, "--labels: task {} has no classes; leave it out", task.name);
  return task;
}

Task task_of(const TaskRequest& request, const Bundle& bundle) {
  const std::string& name = request.task.name;
  return with_labels_checked(name == kUserTask ? user_task(request, bundle) : require_task(name),
                             request.task.labels);
}

std::string split_of(const TaskOptions& options) {
  return options.split.empty() ? "dev" : options.split;
}

EvaluatorSettings evaluator_settings(const SpanOptions& spans, const AnsweringOutput& output) {
  return {.windows = {.overlap = spans.doc_stride},
          .spans = {.best = spans.best, .max_answer_tokens = spans.max_answer_tokens},
          .null_threshold = spans.null_threshold,
          .output = output};
}

}  // namespace

ModelConfig config_for(const Bundle& bundle, const TaskRequest& request) {
  ModelConfig config = find_model_config(bundle.folder, {request.tokenizer, request.config});
  if (request.task.labels.empty()) return config;
  config.id2label = request.task.labels;
  config.labels_from = "--labels";
  return config;
}

TaskInputs::TaskInputs(TaskRequest request, const Bundle& first, std::vector<std::string>& notes)
    : request_(std::move(request)),
      task_(task_of(request_, first)),
      data_(load_dataset(task_, {.data = request_.task.data, .split = split_of(request_.task)})) {
  const auto& limit = request_.task.limit;
  if (limit && *limit < data_.examples.size()) data_.examples.resize(*limit);
  data_.examples = examples_of(request_.side, task_, std::move(data_.examples));
  part_ = part_of_shard(data_.examples.size(), request_.shard, request_.shards);
  data_.examples.erase(data_.examples.begin() + part_.end, data_.examples.end());
  data_.examples.erase(data_.examples.begin(), data_.examples.begin() + part_.begin);
  if (!data_.note.empty()) notes.push_back(data_.note);
}

const PreparedInputs& TaskInputs::prepared(const Bundle& bundle, std::vector<std::string>& notes) {
  const Tokenizer tokenizer = tokenizer_for(bundle, {request_.tokenizer, request_.config}, notes);
  const size_t length =
      sequence_length(bundle, tokenizer, request_.task.max_length, task_.max_length, notes);
  AnsweringOutput output;
  const ModelConfig config = this->config(bundle);
  if (task_.kind == TaskKind::labels) output = answering_output(bundle, config);
  if (!output.embedding) require_known_labels(task_, config);
  auto [entry, missing] = prepared_.try_emplace({tokenizer.hash(), length, output});
  PreparedInputs& prepared = entry->second;
  if (missing) {
    prepared.evaluator =
        make_evaluator(task_, data_.examples, evaluator_settings(request_.task.spans, output));
    prepared.tokenizer_sha256 = tokenizer.hash();
    prepared.sequences = prepared.evaluator->sequences(tokenizer, length);
  }
  return prepared;
}

}  // namespace fp8q
