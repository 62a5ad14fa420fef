// Puts the operands of attention's two products where tiles (tiles.h) have them. Rows of a head
// hold codes of INT8 or the bits of BF16, one row for each token.
#pragma once

#include <cstddef>

#include "kernels/cpu/tiles.h"

namespace fp8q::cpu {

// Describes rows of a head. Strides and sizes are in bytes here, since most of what is done moves
// units of four bytes: four codes or two BF16.
struct HeadBytes {
  const std::byte* x;  // [tokens, size], rows `stride` apart
  size_t stride;
  size_t tokens, size;
};

// Puts rows into tiles of A. What no row fills is left as it is: give it zeros before.
void place_rows_in_tiles(const HeadBytes& q, std::byte* tiles) noexcept;

// Pack k^T, and v, as B. `packed` has tile_packed_size(type, head size, tokens) elements, or
// tile_packed_size(type, tokens, head size).
void pack_keys_in_tiles(const HeadBytes& k, std::byte* packed) noexcept;
void pack_values_in_tiles(TileType type, const HeadBytes& v, std::byte* packed) noexcept;

}  // namespace fp8q::cpu
