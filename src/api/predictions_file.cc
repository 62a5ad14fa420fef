#include "api/predictions_file.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace fp8q {
namespace {

// A class is written as the integer it is, a regression value as a number.
nlohmann::ordered_json answer(const Task& task, double value) {
  if (task.is_regression()) return value;
  return static_cast<int64_t>(value);
}

}  // namespace

void write_predictions(const std::filesystem::path& path, const Task& task,
                       const std::vector<Example>& examples, const Predictions& predictions) {
  std::string text;
  for (size_t e = 0; e < examples.size(); ++e) {
    const nlohmann::ordered_json line = {{"index", e},
                                         {"gold", answer(task, examples[e].gold)},
                                         {"label", answer(task, predictions.values[e])},
                                         {"logits", predictions.logits[e]}};
    text += line.dump() + "\n";
  }
  write_file_atomically(path, text);
}

bool is_predictions_file(const std::filesystem::path& path) {
  constexpr std::string_view kStart = "{\"index\":0,\"gold\":";
  std::string start(kStart.size(), '\0');
  std::ifstream(path, std::ios::binary)
      .read(start.data(), static_cast<std::streamsize>(start.size()));
  return start == kStart;
}

}  // namespace fp8q
