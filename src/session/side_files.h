// Finds the files beside a model: its tokenizer and its config.json. Every command finds them so.
//
// What the user names comes first: a file, or a folder that holds it. Otherwise the file is looked
// for beside the model, and then one folder up, since many repositories keep the model in a folder
// "onnx". A config.json that is found in neither is looked for where the tokenizer is that the user
// named.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "tasks/model_config.h"

namespace fp8q {

// Names files, or folders that hold them.
struct SideFiles {
  std::optional<fs::path> tokenizer, config;
};

// Returns the tokenizer.json, else the vocab.txt, else the vocab.json (tokenizer.json comes first
// because it is the complete description). Throws an Error (bad_data) if there is none.
fs::path find_tokenizer(const fs::path& model_folder, const SideFiles& given = {});

// Returns an empty config if there is no config.json. A file one folder up counts only if it
// describes a model: other programs use the name, too. Throws an Error (bad_data) if the folder
// that the user named has none.
ModelConfig find_model_config(const fs::path& model_folder, const SideFiles& given = {});

// Returns every file that find_tokenizer() or find_model_config() may choose, and those that are
// read with them, whether they are there or not.
std::vector<fs::path> possible_side_files(const fs::path& model_folder, const SideFiles& given);

}  // namespace fp8q
