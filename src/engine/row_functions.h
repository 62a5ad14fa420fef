// Applies the functions of a head that have no weights, on the CPU, for all engines.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "encoder/encoder.h"

namespace fp8q {

// Holds rows of packed sequences: one for each token, or one for each sequence.
struct PackedRows {
  const float* values;
  size_t width;
  std::span<const int32_t> offsets;  // [sequences + 1], the first is 0
  bool per_token;

  size_t count() const {
    return per_token ? static_cast<size_t>(offsets.back()) : offsets.size() - 1;
  }
};

// Applies `functions` one after another, and leaves the result in `to`, whose size it sets. A
// row's result does not depend on other sequences. Sums are double; the L2 norm is at least 1e-12.
void apply_functions(std::span<const RowFunction> functions, PackedRows rows,
                     std::vector<float>& to);

}  // namespace fp8q
