// Reads the parts of a model's config.json that fp8q uses: what the model's outputs mean.
//
// Every field is optional. The graph, not this file, decides the model's structure. Odd values stop
// only those who need them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fp8q {

struct ModelConfig {
  std::filesystem::path path;  // empty if the model has no config.json
  std::optional<std::string> finetuning_task;
  std::optional<std::string> model_type;
  std::optional<std::string> problem_type;   // "regression", "single_label_classification", ...
  std::vector<std::string> id2label;         // label of each logit; empty if not given or no list
  std::string id2label_problem;              // what is wrong with it; empty if nothing is
  std::string labels_from = "\"id2label\"";  // where `id2label` is from, for messages

  // Returns the labels for those who need them. Throws an Error (bad_data) if config.json does not
  // name the labels 0 to n - 1.
  const std::vector<std::string>& labels() const;
};

// Throws an Error (bad_data) if the file is not JSON, or no object.
ModelConfig read_model_config(const std::filesystem::path& path);

}  // namespace fp8q
