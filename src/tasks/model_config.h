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
  std::optional<std::string> problem_type;  // "regression", "single_label_classification", ...
  std::vector<std::string> id2label;        // label of each logit; empty if not given or no list
  std::string id2label_problem;             // what is wrong with "id2label"; empty if nothing is

  // Returns the labels for those who need them. Throws an Error (bad_data) if "id2label" does not
  // name the labels 0 to n - 1.
  const std::vector<std::string>& labels() const;
};

// Throws an Error (bad_data) if the file is not JSON, or no object.
ModelConfig read_model_config(const std::filesystem::path& path);

// Returns the config of a model: `given` if there is one, else config.json in its folder, else an
// empty config.
ModelConfig find_model_config(const std::filesystem::path& model_folder,
                              const std::optional<std::filesystem::path>& given = {});

}  // namespace fp8q
