// Packs the right operands of attention's two products as panels (gemm.h): k^T and v of one head,
// given as rows of channels, one for each token.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fp8q::cpu {

struct HeadRows {
  const float* x;  // [tokens, size], rows `stride` apart
  size_t stride;
  size_t tokens, size;
};

void pack_keys(const HeadRows& k, float* packed) noexcept;    // packed_size(size, tokens)
void pack_values(const HeadRows& v, float* packed) noexcept;  // packed_size(tokens, size)

// Makes rows of values that BF16 has, as GemmBf16 takes them: [tokens, paired(size)].
void pair_rows(const HeadRows& x, uint16_t* pairs) noexcept;
// Packs the pairs that pair_rows() makes. `packed` has packed_size(paired(size), tokens) elements.
void pack_key_pairs(const uint16_t* pairs, size_t tokens, size_t size, uint16_t* packed) noexcept;
// `packed` has packed_size(paired(tokens), size) elements.
void pack_value_pairs(const HeadRows& v, uint16_t* packed) noexcept;

}  // namespace fp8q::cpu
