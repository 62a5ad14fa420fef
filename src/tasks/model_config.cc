#include "tasks/model_config.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "text/json_file.h"
#include "text/json_view.h"

namespace fp8q {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{16} << 20;
constexpr size_t kMaxLabels = 100'000;

std::optional<std::string> read_string(const JsonView& root, const char* key) {
  const auto value = root.find(key);
  if (!value) return std::nullopt;
  return value->string();
}

std::optional<int64_t> read_count(const JsonView& root, const char* key, int64_t least) {
  const auto value = root.find(key);
  if (!value) return std::nullopt;
  return value->integer(least, INT32_MAX);
}

// {"0": "negative", "1": "positive"}: the keys are the numbers from 0 on, in any order.
std::vector<std::string> read_labels(const JsonView& map) {
  const auto members = map.members();
  std::vector<std::optional<std::string>> labels(members.size());
  if (members.size() > kMaxLabels)
    fail(ErrorCode::limit, "{}: has {} labels, at most {} are accepted", map.where(),
         members.size(), kMaxLabels);
  for (const auto& [key, value] : members) {
    size_t index = 0;
    const auto [stop, error] = std::from_chars(key.data(), key.data() + key.size(), index);
    if (error != std::errc() || stop != key.data() + key.size() || index >= labels.size() ||
        labels[index])
      fail(ErrorCode::bad_data, "{}: expected the keys 0 to {}, found \"{}\"", map.where(),
           labels.size() - 1, printable(key));
    // Labels that were numbers or truth values in training are found as such.
    labels[index] = value.is_string() ? value.string() : value.dump();
  }
  std::vector<std::string> out;
  for (auto& label : labels) out.push_back(std::move(*label));
  return out;
}

}  // namespace

ModelConfig read_model_config(const std::filesystem::path& path) {
  const nlohmann::json document = parse_json(path, read_file(path, kMaxConfigBytes));
  const JsonView root(path, document);
  ModelConfig config;
  config.path = path;
  config.model_type = read_string(root, "model_type");
  if (const auto list = root.find("architectures"))
    for (const JsonView& item : list->items()) config.architectures.push_back(item.string());
  config.finetuning_task = read_string(root, "finetuning_task");
  config.problem_type = read_string(root, "problem_type");
  if (const auto map = root.find("id2label")) config.id2label = read_labels(*map);
  config.num_labels = read_count(root, "num_labels", 0);
  config.max_position_embeddings = read_count(root, "max_position_embeddings", 1);
  config.type_vocab_size = read_count(root, "type_vocab_size", 0);
  config.vocab_size = read_count(root, "vocab_size", 1);
  config.pad_token_id = read_count(root, "pad_token_id", -1);
  return config;
}

ModelConfig find_model_config(const std::filesystem::path& model_folder,
                              const std::optional<std::filesystem::path>& given) {
  if (given) return read_model_config(*given);
  std::error_code ignored;
  const std::filesystem::path path = model_folder / "config.json";
  if (!std::filesystem::exists(path, ignored)) return {};
  return read_model_config(path);
}

}  // namespace fp8q
