// Writes what a model answered, example by example, as JSON lines: index, gold, label and logits.
// For span tasks they have index, id and text, and for SQuAD v2.0 also null_difference.
#pragma once

#include <filesystem>

#include "evaluate/evaluation.h"

namespace fp8q {

// Writes the answers of the first model.
void write_predictions(const std::filesystem::path& path, const Evaluation& evaluation);

// Returns whether the file begins as write_predictions() writes it.
bool is_predictions_file(const std::filesystem::path& path);

}  // namespace fp8q
