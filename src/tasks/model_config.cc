#include "tasks/model_config.h"

#include "base/error.h"
#include "json/document.h"
#include "tasks/config_labels.h"

namespace fp8q {
namespace {

using json::Value;

constexpr uint64_t kMaxConfigBytes = uint64_t{16} << 20;

// Returns a member that is a text. A hint of another type is none.
std::optional<std::string> text_in(const Value& root, const char* key) {
  const auto value = root.find(key);
  if (!value || !value->is_string()) return std::nullopt;
  return value->string();
}

}  // namespace

const std::vector<std::string>& ModelConfig::labels() const {
  if (!id2label_problem.empty()) fail(ErrorCode::bad_data, "{}", id2label_problem);
  return id2label;
}

ModelConfig read_model_config(const std::filesystem::path& path) {
  const json::Document document = json::Document::read(path, kMaxConfigBytes);
  const Value root = document.root();
  ModelConfig config;
  config.path = path;
  config.model_type = text_in(root, "model_type");
  config.finetuning_task = text_in(root, "finetuning_task");
  config.problem_type = text_in(root, "problem_type");
  try {
    config.id2label = read_labels(root);
  } catch (const Error& e) {  // only those who need the labels are told
    config.id2label_problem = e.what();
  }
  return config;
}

}  // namespace fp8q
