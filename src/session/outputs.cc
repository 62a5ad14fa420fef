#include "session/outputs.h"

#include "base/error.h"
#include "session/bundle.h"

namespace fp8q {

std::vector<fs::path> files_of_model(const fs::path& location) {
  std::error_code ignored;
  const fs::path file = model_file(location);
  std::vector<fs::path> files = {file};
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  for (const char* side :
       {"config.json", "tokenizer.json", "vocab.txt", "tokenizer_config.json",
        "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt"})
    files.push_back(folder / side);
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".data") || name.ends_with("_data")) files.push_back(entry.path());
  }
  return files;
}

void check_output(const OutputCheck& check, const std::function<bool(const fs::path&)>& ours) {
  std::error_code ignored;
  for (const auto& input : check.inputs)
    if (fs::equivalent(check.path, input, ignored))
      fail(ErrorCode::usage,
           "{}: is an input of this command and is never overwritten; choose another output",
           printable(check.path.string()));
  const fs::path folder = check.path.parent_path();
  if (!folder.empty() && !fs::is_directory(folder, ignored))
    fail(ErrorCode::file, "{}: there is no folder {}; make it, or choose another output",
         printable(check.path.string()), printable(folder.string()));
  if (!fs::exists(check.path, ignored)) return;
  if (!fs::is_regular_file(check.path, ignored))
    fail(ErrorCode::file, "{}: is a folder or device, not a file; choose another output",
         printable(check.path.string()));
  if (check.force) return;
  if (!ours(check.path))
    fail(ErrorCode::file,
         "{}: exists and was not written by fp8q; replace it with --force, or choose another name",
         printable(check.path.string()));
}

}  // namespace fp8q
