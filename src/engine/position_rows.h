// Computes which rows of the position table the tokens of packed sequences take.
#pragma once

#include <cstdint>
#include <span>

#include "encoder/encoder.h"

namespace fp8q {

// Writes the row of each token of packed sequences to `rows`, which is as long as `ids`. Sequence s
// has the tokens [offsets[s] - offsets[0], offsets[s + 1] - offsets[0]).
void position_rows(const PositionRule& rule, std::span<const int32_t> ids,
                   std::span<const int32_t> offsets, int32_t* rows);

}  // namespace fp8q
