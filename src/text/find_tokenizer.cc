#include "base/error.h"
#include "text/tokenizer.h"

namespace fp8q {
namespace fs = std::filesystem;

fs::path find_tokenizer(const fs::path& model_folder, const std::optional<fs::path>& given) {
  std::error_code ignored;
  if (given && !fs::is_directory(*given, ignored)) return *given;
  const fs::path folder = given ? *given : model_folder;
  for (const char* name : {"tokenizer.json", "vocab.txt", "vocab.json"})
    if (fs::exists(folder / name, ignored)) return folder / name;
  fail(ErrorCode::bad_data,
       "{}: has none of tokenizer.json, vocab.txt and vocab.json, one of which tells how text "
       "becomes tokens; put it beside the model or name it with --tokenizer PATH",
       printable(folder.empty() ? "." : folder.string()));
}

}  // namespace fp8q
