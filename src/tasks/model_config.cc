#include "tasks/model_config.h"

#include "base/error.h"
#include "json/document.h"
#include "tasks/config_labels.h"

namespace fp8q {
namespace {

using json::Value;

constexpr uint64_t kMaxConfigBytes = uint64_t{16} << 20;

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
  config.id2label = read_labels(root);
  config.num_labels = read_count(root, "num_labels", 0);
  config.max_position_embeddings = read_count(root, "max_position_embeddings", 1);
  config.type_vocab_size = read_count(root, "type_vocab_size", 0);
  config.vocab_size = read_count(root, "vocab_size", 1);
  config.pad_token_id = read_count(root, "pad_token_id", -1);
  return config;
}

}  // namespace fp8q
