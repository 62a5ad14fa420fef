#include "session/calibration_text.h"

#include <algorithm>
#include <random>

#include "base/error.h"
#include "evaluate/sequences.h"
#include "graph/graph.h"
#include "quantize/constants.h"
#include "session/task_options.h"
#include "session/tokenizer.h"
#include "tasks/model_config.h"
#include "tasks/spread.h"
#include "tasks/task_data.h"

namespace fp8q {
namespace {

// Returns the task whose text fits the model: the requested one, or else the one its config names.
std::optional<Task> calibration_task(const TextRequest& request, const ModelConfig& config) {
  if (request.random_seed) return std::nullopt;
  const TaskOptions& wanted = request.task;
  if (wanted.name == kUserTask) return make_user_text(user_table(wanted));
  if (!wanted.name.empty()) return require_task(wanted.name);
  const Task* own = config.finetuning_task ? find_task(*config.finetuning_task) : nullptr;
  return own ? std::optional(*own) : std::nullopt;
}

// Returns the number of token ids: the rows of the word embeddings. In a graph that is no
// recognized encoder, these are the longest table of which an input of the graph picks rows.
uint64_t vocabulary_of(const Bundle& bundle) {
  if (bundle.encoder) return static_cast<uint64_t>(bundle.encoder->embeddings.word.rows.dim(0));
  const GraphIndex index(bundle.model.graph);
  const auto is_input = [&](const std::string& value) {
    return std::ranges::any_of(bundle.model.graph.inputs,
                               [&](const ValueInfo& input) { return input.name == value; });
  };
  int64_t most = 0;
  for (const Node& node : bundle.model.graph.nodes) {
    if (!is_op(&node, "Gather") || node.inputs.size() != 2 || int_attribute(node, "axis", 0) != 0)
      continue;
    std::string ids = node.inputs[1];
    while (const Node* move = index.producer(ids)) {
      if (!is_op(move, "Cast") && !is_op(move, "Reshape") && !is_op(move, "Identity")) break;
      ids = move->inputs[0];
    }
    const auto table = stored_constant(index, node.inputs[0]);
    if (table && table->tensor.rank() == 2 && is_input(ids))
      most = std::max(most, table->tensor.dim(0));
  }
  if (most == 0)
    fail(ErrorCode::unsupported,
         "{}: --random-data needs a table of embeddings that an input of token ids picks rows of; "
         "calibrate with text",
         printable(bundle.file.path.string()));
  return static_cast<uint64_t>(most);
}

// Draws ids evenly from the table, but not what the graph masks, in examples of the length of a
// typical sentence.
std::vector<Encoding> random_examples(const TextRequest& request, const Bundle& bundle,
                                      size_t max_length) {
  const uint64_t rows = vocabulary_of(bundle);
  const auto is_masked = [&](int32_t id) {
    return bundle.encoder && bundle.encoder->masked_id == id;
  };
  std::mt19937_64 generator(*request.random_seed);
  std::vector<Encoding> encodings(request.examples);
  const size_t length = std::min<size_t>(32, max_length);
  for (Encoding& encoding : encodings) {
    while (encoding.ids.size() < length) {
      const auto id = static_cast<int32_t>(generator() % rows);
      if (!is_masked(id) || rows == 1) encoding.ids.push_back(id);
    }
    encoding.type_ids.assign(length, 0);
  }
  return encodings;
}

}  // namespace

CalibrationText calibration_text(const TextRequest& request, const Bundle& bundle,
                                 std::vector<std::string>& notes) {
  CalibrationText text;
  const SideFiles given{request.tokenizer, request.config};
  const ModelConfig config = find_model_config(bundle.folder, given);
  const auto task = calibration_task(request, config);
  const size_t usual = task ? task->max_length : Task().max_length;
  text.max_length = request.task.max_length.value_or(usual);
  if (request.random_seed) {
    if (request.task.data) fail(ErrorCode::usage, "--random-data and --data exclude each other");
    text.facts.random = true;
    text.encodings =
        random_examples(request, bundle, usable_length(bundle, text.max_length, notes));
    notes.push_back("random token ids are not text; expect a worse conversion");
    return text;
  }
  const Tokenizer tokenizer = tokenizer_for(bundle, given, notes);
  const size_t length = sequence_length(bundle, tokenizer, request.task.max_length, usual, notes);
  const Task* known = task ? &*task : nullptr;
  const Dataset data =
      load_calibration_text({.task = known, .data = request.task.data, .count = request.examples});
  if (!data.note.empty()) notes.push_back(data.note);
  text.encodings = calibration_sequences(tokenizer, data.examples, known, length);
  text.facts = {data.path, data.sha256, data.builtin, false};
  text.tokenizer_sha256 = tokenizer.hash();
  if (task && !data.builtin) text.task = task->name;
  return text;
}

std::vector<Encoding> calibration_sequences(const Tokenizer& tokenizer,
                                            const std::vector<Example>& examples, const Task* task,
                                            size_t max_length) {
  if (!task || task->kind != TaskKind::spans)
    return whole_sequences(tokenizer, examples, max_length).encodings;
  return spread_evenly(
      question_windows(tokenizer, examples, {.max_length = max_length, .overlap = 0}).encodings,
      examples.size());
}

}  // namespace fp8q
