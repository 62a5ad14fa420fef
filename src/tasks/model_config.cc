#include "tasks/model_config.h"

#include "base/error.h"
#include "json/document.h"
#include "tasks/config_labels.h"

namespace fp8q {
namespace {

using json::Value;

constexpr uint64_t kMaxConfigBytes = uint64_t{16} << 20;

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
  config.model_type = root.find_string("model_type");
  config.finetuning_task = root.find_string("finetuning_task");
  config.problem_type = root.find_string("problem_type");
  try {
    config.id2label = read_labels(root);
  } catch (const Error& e) {  // only those who need the labels are told
    config.id2label_problem = e.what();
  }
  return config;
}

}  // namespace fp8q
