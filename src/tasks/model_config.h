// What fp8q reads of a model's config.json: what its outputs mean and the limits of its inputs.
//
// Every field is optional; the graph, not this file, decides the model's structure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fp8q {

struct ModelConfig {
  std::filesystem::path path;  // empty: the model has no config.json
  std::optional<std::string> model_type;
  std::vector<std::string> architectures;
  std::optional<std::string> finetuning_task;
  std::optional<std::string> problem_type;  // "regression", "single_label_classification", ...
  std::vector<std::string> id2label;        // label of each logit; empty: not told
  std::optional<int64_t> num_labels;
  std::optional<int64_t> max_position_embeddings;
  std::optional<int64_t> type_vocab_size;
  std::optional<int64_t> vocab_size;
  std::optional<int64_t> pad_token_id;
};

// Errors are ErrorCode::bad_data and name the file and the field.
ModelConfig read_model_config(const std::filesystem::path& path);

// The config of a model: `given` if there is one, else config.json in its folder, else an empty
// one.
ModelConfig find_model_config(const std::filesystem::path& model_folder,
                              const std::optional<std::filesystem::path>& given = {});

}  // namespace fp8q
