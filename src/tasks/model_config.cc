#include "tasks/model_config.h"

#include <charconv>

#include "base/error.h"
#include "json/document.h"

namespace fp8q {
namespace {

using json::Value;

constexpr uint64_t kMaxConfigBytes = uint64_t{16} << 20;
constexpr size_t kMaxLabels = 100'000;

std::optional<std::string> read_string(const Value& root, const char* key) {
  const auto value = root.find(key);
  if (!value) return std::nullopt;
  return value->string();
}

std::optional<int64_t> read_count(const Value& root, const char* key, int64_t least) {
  const auto value = root.find(key);
  if (!value) return std::nullopt;
  return value->integer(least, INT32_MAX);
}

// Reads {"0": "negative", "1": "positive"}. The keys are the numbers from 0 on, in any order.
std::vector<std::string> read_labels(const Value& map) {
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
      map.reject(fmt::format("expected the keys 0 to {}, found \"{}\"", labels.size() - 1,
                             printable(key)));
    // Labels that were numbers or truth values in training appear as such.
    labels[index] = value.is_string() ? value.string() : value.dump();
  }
  std::vector<std::string> out;
  for (auto& label : labels) out.push_back(std::move(*label));
  return out;
}

}  // namespace

ModelConfig read_model_config(const std::filesystem::path& path) {
  const json::Document document = json::Document::read(path, kMaxConfigBytes);
  const Value root = document.root();
  ModelConfig config;
  config.path = path;
  config.model_type = read_string(root, "model_type");
  if (const auto list = root.find("architectures")) config.architectures = json::strings(*list);
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
