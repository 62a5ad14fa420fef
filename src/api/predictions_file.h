// What a model answered, example by example: JSON lines with index, gold, label and logits.
#pragma once

#include <filesystem>
#include <vector>

#include "evaluate/score.h"
#include "tasks/dataset.h"

namespace fp8q {

void write_predictions(const std::filesystem::path& path, const Task& task,
                       const std::vector<Example>& examples, const Predictions& predictions);

// Whether the file begins as write_predictions() writes it.
bool is_predictions_file(const std::filesystem::path& path);

}  // namespace fp8q
