#include "session/pooling_config.h"

#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "json/document.h"

namespace fp8q {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 20;

struct Mode {
  const char* key;   // is true in older files
  const char* name;  // is the "pooling_mode" of newer ones
  RowFunction function;
};
// The mean of tokens times the root of their number has the same direction as the mean.
constexpr Mode kModes[] = {
    {"pooling_mode_cls_token", "cls", RowFunction::first_token},
    {"pooling_mode_mean_tokens", "mean", RowFunction::mean},
    {"pooling_mode_max_tokens", "max", RowFunction::max},
    {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", RowFunction::mean},
};
constexpr const char* kUnknownModes[] = {"pooling_mode_weightedmean_tokens",
                                         "pooling_mode_lasttoken"};

bool is_set(const json::Value& root, const char* key) {
  const auto value = root.find(key);
  return value && value->boolean();
}

RowFunction function_of(const json::Value& root) {
  std::vector<RowFunction> chosen;
  bool known = true;
  if (const auto mode = root.find("pooling_mode")) {
    const std::string name = mode->string();
    for (const Mode& m : kModes)
      if (name == m.name) chosen.push_back(m.function);
  } else {
    for (const Mode& m : kModes)
      if (is_set(root, m.key)) chosen.push_back(m.function);
    for (const char* key : kUnknownModes) known = known && !is_set(root, key);
  }
  if (!known || chosen.size() != 1)
    root.reject("expected one of the poolings cls, mean and max, which fp8q can apply");
  return chosen.front();
}

}  // namespace

Pooling find_pooling(const fs::path& model_folder) {
  const fs::path folder = model_folder.empty() ? "." : model_folder;
  for (const fs::path& place : {folder, folder / ".."}) {
    const fs::path path = (place / "1_Pooling" / "config.json").lexically_normal();
    if (!is_file(path)) continue;
    return {function_of(json::Document::read(path, kMaxBytes).root()), path};
  }
  return {};
}

}  // namespace fp8q
