// Forms blocks of matrix products by AMX tiles: INT8 by INT8 with exact INT32 sums, and BF16 by
// BF16 with FP32 sums.
//
// A tile has 16 rows of 64 bytes. Both operands stand in tiles, one step of k (64 of INT8, 32 of
// BF16) after the other. A has 16 rows of the matrix in a tile. Columns are filled up with zeros to
// whole steps, rows with anything that is finite. B is packed in panels of 32 columns: each step of
// a panel has two tiles of 16 columns, whose rows hold four (INT8) or two (BF16) values of k for
// every column.
//
// A row of an operand that is read with a stride of some power of two costs up to half of the
// speed, which is why A stands in tiles, too.
//
// Every sum depends only on its own row of A and column of B. Sums of BF16 are formed as the
// instruction does it (Intel's manual, TDPBF16PS): in each step, one chain of fused multiply-adds
// from zero over the even k, and one over the odd k, both ascending; the two are added, then added
// to the sum. Other CPUs do the same in plain code, slowly, for tests. Subnormal operands and
// results count as zeros in tiles only; codes and sums of their products are not subnormal.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/gemm.h"

namespace fp8q::cpu {

inline constexpr size_t kTileRows = 16, kTileBytes = 1024;
inline constexpr size_t kTilePanel = 32;                  // columns of a panel of B
inline constexpr size_t kTileBlockRows = 32;              // rows of a block
inline constexpr size_t kTileStepBytes = 2 * kTileBytes;  // of a step of a panel

enum class TileType { int8, bf16 };
constexpr size_t tile_depth(TileType type) { return type == TileType::int8 ? 64 : 32; }
constexpr size_t tile_steps(TileType type, size_t k) {
  return (k + tile_depth(type) - 1) / tile_depth(type);
}
constexpr size_t tile_panels(size_t n) { return (n + kTilePanel - 1) / kTilePanel; }

// Returns where an element of A stands. `stride` is the number of elements of a row, in whole
// steps.
template <typename T>
constexpr size_t place_in_tiles(size_t row, size_t column, size_t stride) {
  constexpr size_t kOfRow = 64 / sizeof(T);
  return row / kTileRows * kTileRows * stride + column / kOfRow * kOfRow * kTileRows +
         row % kTileRows * kOfRow + column % kOfRow;
}

// Returns the number of elements of packed B, which is aligned to 64 bytes.
constexpr size_t tile_packed_size(TileType type, size_t k, size_t n) {
  return tile_panels(n) * tile_steps(type, k) * tile_depth(type) * kTilePanel;
}
void pack_tiles(const Pack<int8_t>& args, int8_t* packed) noexcept;
void pack_tiles(const Pack<uint16_t>& args, uint16_t* packed) noexcept;  // BF16
// Packs FP8 codes where BF16 would hold their values. Fails as pack_f8() does.
bool pack_f8_tiles(Format format, const Pack<uint8_t>& args, uint8_t* packed) noexcept;

// Tiles are set up for products of its thread while this object exists.
class TileScope {
 public:
  TileScope() noexcept;
  ~TileScope();
  TileScope(const TileScope&) = delete;
  TileScope& operator=(const TileScope&) = delete;
};

// Describes sums of up to kTileBlockRows rows of A, which begin a tile, and one panel of B.
struct TileBlock {
  TileType type;
  const void* a;  // all steps of the first 16 rows, then of the next 16, which may be missing
  size_t rows;
  const void* b;
  size_t steps;
  void* sums;  // int32_t or float: [rows, kTilePanel], filled up to whole tiles of 16 rows
  size_t stride;
};
void multiply_tiles(const TileScope& scope, const TileBlock& block) noexcept;

// Runs `turns` times four products of tiles with zeros, for the roof, and returns the number of
// operations done. Without AMX it does nothing and returns 0.
double run_tiles(TileType type, size_t turns) noexcept;

}  // namespace fp8q::cpu
