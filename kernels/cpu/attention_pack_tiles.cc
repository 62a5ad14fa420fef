#include "kernels/cpu/attention_pack_tiles.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention_pack_tiles.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

constexpr size_t kRow = 64;      // bytes of a row of a tile
constexpr size_t kPart = 16;     // bytes of a token's row that are transposed at a time
constexpr size_t kPartRows = 4;  // rows that they fill in a tile of B, a unit each
constexpr size_t kTileColumns = 16;

static_assert(kTileColumns % kLanes == 0);

// Returns the tile that holds column `column` of B in step `step`.
std::byte* tile_of(std::byte* packed, size_t steps, size_t step, size_t column) {
  const size_t tile = 2 * (column / kTilePanel * steps + step) + column % kTilePanel / kTileColumns;
  return packed + tile * kTileBytes;
}

#if HWY_TARGET != HWY_SCALAR
// Loads 16 bytes from every fourth row into the blocks of a vector.
template <class D>
HWY_INLINE hn::Vec<D> load_blocks(D d, const std::byte* from, size_t stride) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    return hn::LoadU(d, reinterpret_cast<const uint32_t*>(from));
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, load_blocks(half, from + hn::MaxLanes(half) * stride, stride),
                       load_blocks(half, from, stride));
  }
}
#endif

// Transposes a part of 16 rows: row i of `to` gets unit i of all of them.
HWY_INLINE void transpose_part(const std::byte* from, size_t stride, uint32_t* to) {
#if HWY_TARGET == HWY_SCALAR
  for (size_t i = 0; i < kPartRows; ++i)
    for (size_t r = 0; r < kTileColumns; ++r)
      std::memcpy(to + i * kTileColumns + r, from + r * stride + 4 * i, 4);
#else
  const DU d;
  const hn::RepartitionToWide<DU> d64;
  for (size_t r = 0; r < kTileColumns; r += kLanes) {
    const std::byte* row = from + r * stride;
    const auto v0 = load_blocks(d, row, stride), v1 = load_blocks(d, row + stride, stride);
    const auto v2 = load_blocks(d, row + 2 * stride, stride);
    const auto v3 = load_blocks(d, row + 3 * stride, stride);
    const auto lo01 = hn::BitCast(d64, hn::InterleaveLower(d, v0, v1));
    const auto lo23 = hn::BitCast(d64, hn::InterleaveLower(d, v2, v3));
    const auto hi01 = hn::BitCast(d64, hn::InterleaveUpper(d, v0, v1));
    const auto hi23 = hn::BitCast(d64, hn::InterleaveUpper(d, v2, v3));
    uint32_t* at = to + r;
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d64, lo01, lo23)), d, at);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d64, lo01, lo23)), d, at + kTileColumns);
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d64, hi01, hi23)), d, at + 2 * kTileColumns);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d64, hi01, hi23)), d, at + 3 * kTileColumns);
  }
#endif
}

void pack_keys_in_tiles(const HeadBytes& k, std::byte* packed) {
  const size_t steps = (k.size + kRow - 1) / kRow;
  std::memset(packed, 0, tile_panels(k.tokens) * steps * kTileStepBytes);
  for (size_t t = 0; t < k.tokens; t += kTileColumns)
    for (size_t c = 0; c < k.size; c += kPart) {
      const std::byte* from = k.x + t * k.stride + c;
      size_t stride = k.stride;
      std::byte narrow[kTileColumns * kPart];
      const size_t rows = std::min(kTileColumns, k.tokens - t), size = std::min(kPart, k.size - c);
      if (rows < kTileColumns || size < kPart) {
        std::memset(narrow, 0, sizeof(narrow));
        for (size_t r = 0; r < rows; ++r)
          std::memcpy(narrow + r * kPart, from + r * k.stride, size);
        from = narrow;
        stride = kPart;
      }
      std::byte* to = tile_of(packed, steps, c / kRow, t) + c % kRow / kPart * kPartRows * kRow;
      transpose_part(from, stride, reinterpret_cast<uint32_t*>(to));
    }
}

// Writes units of 16 columns, the first row in the lowest bits.
template <typename T, size_t kRows>
HWY_INLINE void interleave(const T* const (&rows)[kRows], uint32_t* to) {
  const DU d;
  const hn::Rebind<T, DU> narrow;
  for (size_t c = 0; c < kTileColumns; c += kLanes) {
    const auto row = [&](size_t i)
                         HWY_ATTR { return hn::PromoteTo(d, hn::LoadU(narrow, rows[i] + c)); };
    auto units = hn::Or(row(0), hn::ShiftLeft<8 * sizeof(T)>(row(1)));
    if constexpr (kRows == 4)
      units = hn::Or(units, hn::Or(hn::ShiftLeft<16>(row(2)), hn::ShiftLeft<24>(row(3))));
    hn::StoreU(units, d, to + c);
  }
}

template <typename T>
void pack_values_of(const HeadBytes& v, std::byte* packed) {
  constexpr size_t kUnit = 4 / sizeof(T), kDepth = kRow / sizeof(T);
  const size_t size = v.size / sizeof(T), steps = (v.tokens + kDepth - 1) / kDepth;
  std::memset(packed, 0, tile_panels(size) * steps * kTileStepBytes);
  for (size_t t = 0; t < v.tokens; t += kUnit)
    for (size_t c = 0; c < size; c += kTileColumns) {
      const size_t rows_here = std::min(kUnit, v.tokens - t);
      const size_t columns = std::min(kTileColumns, size - c);
      const T* rows[kUnit];
      T narrow[kUnit][kTileColumns];
      const bool whole = rows_here == kUnit && columns == kTileColumns;
      if (!whole) std::memset(narrow, 0, sizeof(narrow));
      for (size_t i = 0; i < kUnit; ++i) {
        rows[i] = reinterpret_cast<const T*>(v.x + (t + i) * v.stride) + c;
        if (whole) continue;
        if (i < rows_here) std::memcpy(narrow[i], rows[i], columns * sizeof(T));
        rows[i] = narrow[i];
      }
      std::byte* to = tile_of(packed, steps, t / kDepth, c) + t % kDepth / kUnit * kRow;
      interleave(rows, reinterpret_cast<uint32_t*>(to));
    }
}

void pack_values_in_tiles(TileType type, const HeadBytes& v, std::byte* packed) {
  if (type == TileType::int8) pack_values_of<uint8_t>(v, packed);
  else pack_values_of<uint16_t>(v, packed);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(pack_keys_in_tiles);
HWY_EXPORT(pack_values_in_tiles);

// A row is copied by 16 bytes, so that the compiler knows the size.
void place_rows_in_tiles(const HeadBytes& q, std::byte* tiles) noexcept {
  constexpr size_t kPart = 16;
  const size_t stride = (q.size + 63) / 64 * 64;
  for (size_t t = 0; t < q.tokens; ++t)
    for (size_t c = 0; c < q.size; c += kPart) {
      std::byte* to = tiles + place_in_tiles<std::byte>(t, c, stride);
      const std::byte* from = q.x + t * q.stride + c;
      if (c + kPart <= q.size) std::memcpy(to, from, kPart);
      else std::memcpy(to, from, q.size - c);
    }
}

void pack_keys_in_tiles(const HeadBytes& k, std::byte* packed) noexcept {
  HWY_DYNAMIC_DISPATCH(pack_keys_in_tiles)(k, packed);
}

void pack_values_in_tiles(TileType type, const HeadBytes& v, std::byte* packed) noexcept {
  HWY_DYNAMIC_DISPATCH(pack_values_in_tiles)(type, v, packed);
}

}  // namespace fp8q::cpu
#endif  // HWY_ONCE
