#include "session/side_files.h"

#include <array>

#include "base/error.h"
#include "base/file.h"

namespace fp8q {
namespace {

constexpr const char* kConfig = "config.json";
constexpr std::array kTokenizers = {"tokenizer.json", "vocab.txt", "vocab.json"};

fs::path folder_above(const fs::path& folder) {
  fs::path normal = folder.lexically_normal();
  if (!normal.has_filename()) normal = normal.parent_path();  // "a/" is "a"
  if (normal.empty() || normal == ".") return "..";
  return normal.filename() == ".." ? normal / ".." : normal.parent_path();
}

std::optional<fs::path> tokenizer_in(const fs::path& folder) {
  for (const char* name : kTokenizers)
    if (is_there(folder / name)) return folder / name;
  return std::nullopt;
}

// Reads a file that may be of any program. Returns nullopt if it does not describe a model.
std::optional<ModelConfig> config_of_a_model(const fs::path& path) {
  try {
    ModelConfig config = read_model_config(path);
    if (config.model_type || !config.id2label.empty()) return config;
  } catch (const Error&) {
  }
  return std::nullopt;
}

// Returns the folder that the user named, or that of the file that they named.
fs::path folder_of(const fs::path& given) { return is_folder(given) ? given : given.parent_path(); }

}  // namespace

fs::path find_tokenizer(const fs::path& model_folder, const SideFiles& given) {
  const auto& named = given.tokenizer;
  if (named && !is_folder(*named)) return *named;
  auto found = tokenizer_in(named.value_or(model_folder));
  if (!found && !named) found = tokenizer_in(folder_above(model_folder));
  if (found) return *found;
  const fs::path folder = named.value_or(model_folder);
  fail(ErrorCode::bad_data,
       "{}: has none of tokenizer.json, vocab.txt and vocab.json, one of which tells how text "
       "becomes tokens; put it beside the model or name it with --tokenizer PATH",
       printable(folder.empty() ? "." : folder.string()));
}

ModelConfig find_model_config(const fs::path& model_folder, const SideFiles& given) {
  if (given.config) {
    if (!is_folder(*given.config)) return read_model_config(*given.config);
    if (is_there(*given.config / kConfig)) return read_model_config(*given.config / kConfig);
    fail(ErrorCode::bad_data, "{}: the folder has no config.json; name the file with --config PATH",
         printable(given.config->string()));
  }
  if (is_there(model_folder / kConfig)) return read_model_config(model_folder / kConfig);
  if (auto above = config_of_a_model(folder_above(model_folder) / kConfig)) return *above;
  if (given.tokenizer) {
    const fs::path beside = folder_of(*given.tokenizer) / kConfig;
    if (is_there(beside)) return read_model_config(beside);
  }
  return {};
}

std::vector<fs::path> possible_side_files(const fs::path& model_folder, const SideFiles& given) {
  std::vector<fs::path> folders = {model_folder, folder_above(model_folder)};
  std::vector<fs::path> files;
  for (const auto& named : {given.tokenizer, given.config}) {
    if (!named) continue;
    files.push_back(*named);
    folders.push_back(folder_of(*named));
  }
  for (const fs::path& folder : folders)
    for (const char* name :
         {kConfig, "tokenizer.json", "vocab.txt", "tokenizer_config.json",
          "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt"})
      files.push_back(folder / name);
  return files;
}

}  // namespace fp8q
