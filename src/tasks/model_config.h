// Reads the parts of a model's config.json that fp8q uses: what its outputs mean and the limits of
// its inputs.
//
// Every field is optional. The graph, not this file, decides the model's structure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fp8q {

struct ModelConfig {
  std::filesystem::path path;  // empty if the model has no config.json
  std::optional<std::string> model_type;
  std::vector<std::string> architectures;
  std::optional<std::string> finetuning_task;
  std::optional<std::string> problem_type;   // "regression", "single_label_classification", ...
  std::vector<std::string> id2label;         // label of each logit; empty if not given
  std::string labels_from = "\"id2label\"";  // where `id2label` is from, for messages
  std::optional<int64_t> num_labels;
  std::optional<int64_t> max_position_embeddings;
  std::optional<int64_t> type_vocab_size;
  std::optional<int64_t> vocab_size;
  std::optional<int64_t> pad_token_id;
};

// Errors are ErrorCode::bad_data and name the file and the field.
ModelConfig read_model_config(const std::filesystem::path& path);

}  // namespace fp8q
