// Writes scores of results with their intervals as text.
#pragma once

#include <string>

#include "json/value.h"

namespace fp8q {

// Writes an object with `score` and `ci95` like "88.65 [86.47, 90.71]".
std::string score_text(const json::Value& scores);
// Writes a difference in the same way, with signs.
std::string difference_text(const json::Value& difference);

}  // namespace fp8q
