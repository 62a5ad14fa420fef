// Scores of results with their intervals, as text.
#pragma once

#include <string>

#include "json/value.h"

namespace fp8q {

// Of an object with `score` and `ci95`: "88.65 [86.47, 90.71]".
std::string score_text(const json::Value& scores);
// The same of a difference, with signs.
std::string difference_text(const json::Value& difference);

}  // namespace fp8q
