#include "tasks/model_config.h"

#include <charconv>

#include "base/error.h"
#include "json/document.h"

namespace fp8q {
namespace {

using json::Value;

constexpr uint64_t kMaxConfigBytes = uint64_t{16} << 20;
constexpr size_t kMaxLabels = 100'000;

// Returns a member that is a text. A hint of another type is none.
std::optional<std::string> text_in(const Value& root, const char* key) {
  const auto value = root.find(key);
  if (!value || !value->is_string()) return std::nullopt;
  return value->string();
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

const std::vector<std::string>& ModelConfig::labels() const {
  if (!id2label_problem.empty()) fail(ErrorCode::bad_data, "{}", id2label_problem);
  return id2label;
}

ModelConfig read_model_config(const std::filesystem::path& path) {
  const json::Document document = json::Document::read(path, kMaxConfigBytes);
  const Value root = document.root();
  ModelConfig config;
  config.path = path;
  config.finetuning_task = text_in(root, "finetuning_task");
  config.problem_type = text_in(root, "problem_type");
  try {
    if (const auto map = root.find("id2label")) config.id2label = read_labels(*map);
  } catch (const Error& e) {  // only those who need the labels are told
    config.id2label_problem = e.what();
  }
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
