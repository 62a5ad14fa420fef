#include "api/task_inputs.h"

#include <algorithm>

#include "api/task_options.h"
#include "api/text_inputs.h"
#include "base/error.h"
#include "tasks/task_data.h"

namespace fp8q {
namespace {

// Whether the model's first output are hidden states, and no other one can be a head's.
bool gives_hidden_states_only(const Bundle& bundle) {
  if (!bundle.encoder) {
    const auto& outputs = bundle.model.graph.outputs;
    return outputs.size() == 1 && outputs[0].has_shape && outputs[0].shape.size() == 3;
  }
  const Encoder& encoder = *bundle.encoder;
  // A pooler keeps the hidden size; heads for tasks have few outputs.
  const auto is_head = [&](const EncoderOutput& output) {
    return output.source == OutputSource::head_column ||
           (output.source == OutputSource::head_stage &&
            encoder.head[static_cast<size_t>(output.index)].linear.out != encoder.hidden);
  };
  return encoder.outputs.front().source == OutputSource::hidden_states &&
         std::ranges::none_of(encoder.outputs, is_head);
}

// Logits per example; 0 where there are hidden states only.
size_t logits_of(const Bundle& bundle, const ModelConfig& config) {
  if (gives_hidden_states_only(bundle)) return 0;
  if (bundle.encoder)
    for (const EncoderOutput& output : bundle.encoder->outputs)
      if (output.source == OutputSource::head_stage)
        return static_cast<size_t>(
            bundle.encoder->head[static_cast<size_t>(output.index)].linear.out);
  if (!config.id2label.empty()) return config.id2label.size();
  fail(ErrorCode::bad_data,
       "{}: how many labels the model has is not known; name them in its config.json "
       "(\"id2label\")",
       printable(bundle.file.path.string()));
}

Task user_task(const EvaluateOptions& options, const Bundle& bundle) {
  const UserTask table = user_table(options.task);
  const ModelConfig config = find_model_config(bundle.folder, options.config);
  return make_user_task(table, config, logits_of(bundle, config));
}

Task task_of(const EvaluateOptions& options, const Bundle& bundle) {
  const std::string& name = options.task.name;
  return name == kUserTask ? user_task(options, bundle) : require_task(name);
}

std::string split_of(const TaskOptions& options) {
  return options.split.empty() ? "dev" : options.split;
}

EvaluatorSettings evaluator_settings(const SpanOptions& spans, bool embeddings) {
  return {.windows = {.overlap = spans.doc_stride},
          .spans = {.best = spans.best, .max_answer_tokens = spans.max_answer_tokens},
          .null_threshold = spans.null_threshold,
          .embeddings = embeddings};
}

}  // namespace

TaskInputs::TaskInputs(const EvaluateOptions& options, const Bundle& first,
                       std::vector<std::string>& notes, const HoldoutSide& side)
    : options_(options),
      task_(task_of(options, first)),
      data_(load_dataset(task_, {.data = options.task.data, .split = split_of(options.task)})) {
  if (options.task.limit && *options.task.limit < data_.examples.size())
    data_.examples.resize(*options.task.limit);
  data_.examples = examples_of(side, task_, std::move(data_.examples));
  part_ = part_of_shard(data_.examples.size(), options.shard, options.shards);
  data_.examples.erase(data_.examples.begin() + part_.end, data_.examples.end());
  data_.examples.erase(data_.examples.begin(), data_.examples.begin() + part_.begin);
  if (!data_.note.empty()) notes.push_back(data_.note);
}

const PreparedInputs& TaskInputs::prepared(const Bundle& bundle, std::vector<std::string>& notes) {
  const Tokenizer tokenizer = tokenizer_for(bundle, options_.tokenizer);
  const size_t length =
      usable_length(bundle, options_.task.max_length.value_or(task_.max_length), notes);
  const bool embeddings = task_.kind == TaskKind::labels && gives_hidden_states_only(bundle);
  auto [entry, missing] = prepared_.try_emplace({tokenizer.hash(), length, embeddings});
  PreparedInputs& prepared = entry->second;
  if (missing) {
    prepared.evaluator =
        make_evaluator(task_, data_.examples, evaluator_settings(options_.task.spans, embeddings));
    prepared.tokenizer_sha256 = tokenizer.hash();
    prepared.sequences = prepared.evaluator->sequences(tokenizer, length);
  }
  return prepared;
}

}  // namespace fp8q
