// What a model answered, example by example, as JSON lines: index, gold, label and logits; of span
// tasks index, id and text, and for SQuAD v2.0 null_difference.
#pragma once

#include <filesystem>

#include "evaluate/evaluation.h"

namespace fp8q {

// Those of the first model.
void write_predictions(const std::filesystem::path& path, const Evaluation& evaluation);

// Whether the file begins as write_predictions() writes it.
bool is_predictions_file(const std::filesystem::path& path);

}  // namespace fp8q
