#include "kernels/cpu/tiles.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/cpu/f8_panels.h"
#include "kernels/cpu/isa.h"

#if defined(__x86_64__) && defined(__linux__)
#include <immintrin.h>
#define FP8Q_HAVE_TILES 1
#endif

namespace fp8q::cpu {
namespace {

// Puts the values of B where tiles have them: kOfRow values of k stand together for each column.
template <typename T, size_t kDepth, size_t kOfRow>
void pack(const Pack<T>& b, T* packed) {
  const size_t steps = (b.k + kDepth - 1) / kDepth;
  std::fill_n(packed, tile_panels(b.n) * steps * kDepth * kTilePanel, T{});
  for (size_t k = 0; k < b.k; ++k) {
    const size_t row = k % kDepth / kOfRow, within = k % kOfRow;
    for (size_t n = 0; n < b.n; ++n) {
      const size_t step = n / kTilePanel * steps + k / kDepth;
      const size_t tile = 2 * step + n % kTilePanel / 16;
      packed[tile * kDepth * 16 + (row * 16 + n % 16) * kOfRow + within] =
          b.b[k * b.row_stride + n * b.column_stride];
    }
  }
}

float bf16_value(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

// Adds the products of a step to one sum. `a` is a row of a tile of A, and `b` is the column's
// place in the first row of a tile of B.
int32_t add_step(int32_t sum, const int8_t* a, const int8_t* b) {
  for (size_t k = 0; k < 64; ++k) sum += a[k] * b[k / 4 * 64 + k % 4];
  return sum;
}
float add_step(float sum, const uint16_t* a, const uint16_t* b) {
  float even = 0, odd = 0;
  for (size_t k = 0; k < 32; k += 2) {
    even = std::fma(bf16_value(a[k]), bf16_value(b[k * 16]), even);
    odd = std::fma(bf16_value(a[k + 1]), bf16_value(b[k * 16 + 1]), odd);
  }
  return sum + (even + odd);
}

template <typename T, typename Sum>
void multiply_plainly(const TileBlock& block) {
  constexpr size_t kOfTile = kTileBytes / sizeof(T), kOfRow = 64 / sizeof(T);
  const auto *a = static_cast<const T*>(block.a), *b = static_cast<const T*>(block.b);
  auto* sums = static_cast<Sum*>(block.sums);
  for (size_t r = 0; r < block.rows; ++r)
    for (size_t c = 0; c < kTilePanel; ++c) {
      Sum sum = 0;
      for (size_t s = 0; s < block.steps; ++s)
        sum = add_step(sum, a + (r / 16 * block.steps + s) * kOfTile + r % 16 * kOfRow,
                       b + (2 * s + c / 16) * kOfTile + c % 16 * (kOfRow / 16));
      sums[r * block.stride + c] = sum;
    }
}

#ifdef FP8Q_HAVE_TILES
#define FP8Q_WITH_TILES __attribute__((target("amx-tile,amx-int8,amx-bf16")))

// Tiles 0 to 3 hold sums of 2 x 2, 4 and 5 rows of A, 6 and 7 columns of B. All have full size.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr TileConfig kConfig;

FP8Q_WITH_TILES void load_config() { _tile_loadconfig(&kConfig); }
FP8Q_WITH_TILES void release() { _tile_release(); }

// The tiles' memory accesses do not say what they touch. Plain ones stay on their side of this.
void fence() { asm volatile("" ::: "memory"); }

#define FP8Q_TILE_PRODUCT(sum, x, y)                                \
  do {                                                              \
    if constexpr (kType == TileType::int8) _tile_dpbssd(sum, x, y); \
    else _tile_dpbf16ps(sum, x, y);                                 \
  } while (false)

// Each has four products for four loads; no other shape of eight tiles needs fewer loads.
template <TileType kType>
FP8Q_WITH_TILES void multiply(const TileBlock& block) {
  const auto *a = static_cast<const std::byte*>(block.a),
             *b = static_cast<const std::byte*>(block.b);
  auto* sums = static_cast<float*>(block.sums);  // of either type
  const size_t row = block.stride * sizeof(float);
  const bool both = block.rows > kTileRows;
  const std::byte* second = a + block.steps * kTileBytes;
  fence();
  _tile_zero(0);
  _tile_zero(1);
  if (both) {
    _tile_zero(2);
    _tile_zero(3);
    for (size_t s = 0; s < block.steps; ++s) {
      _tile_loadd(6, b + s * kTileStepBytes, 64);
      _tile_loadd(4, a + s * kTileBytes, 64);
      FP8Q_TILE_PRODUCT(0, 4, 6);
      _tile_loadd(7, b + s * kTileStepBytes + kTileBytes, 64);
      FP8Q_TILE_PRODUCT(1, 4, 7);
      _tile_loadd(5, second + s * kTileBytes, 64);
      FP8Q_TILE_PRODUCT(2, 5, 6);
      FP8Q_TILE_PRODUCT(3, 5, 7);
    }
    _tile_stored(2, sums + kTileRows * block.stride, row);
    _tile_stored(3, sums + kTileRows * block.stride + 16, row);
  } else {
    for (size_t s = 0; s < block.steps; ++s) {
      _tile_loadd(6, b + s * kTileStepBytes, 64);
      _tile_loadd(4, a + s * kTileBytes, 64);
      FP8Q_TILE_PRODUCT(0, 4, 6);
      _tile_loadd(7, b + s * kTileStepBytes + kTileBytes, 64);
      FP8Q_TILE_PRODUCT(1, 4, 7);
    }
  }
  _tile_stored(0, sums, row);
  _tile_stored(1, sums + 16, row);
  fence();
}

// Does four independent products a turn. Their latency is hidden, since a product occupies the unit
// for 16 cycles.
template <TileType kType>
FP8Q_WITH_TILES void run_products(size_t turns) {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(6);
  for (size_t t = 0; t < turns; ++t) {
    FP8Q_TILE_PRODUCT(0, 4, 6);
    FP8Q_TILE_PRODUCT(1, 4, 6);
    FP8Q_TILE_PRODUCT(2, 4, 6);
    FP8Q_TILE_PRODUCT(3, 4, 6);
  }
}
#undef FP8Q_TILE_PRODUCT
#endif

}  // namespace

void pack_tiles(const Pack<int8_t>& args, int8_t* packed) noexcept {
  pack<int8_t, tile_depth(TileType::int8), 4>(args, packed);
}
void pack_tiles(const Pack<uint16_t>& args, uint16_t* packed) noexcept {
  pack<uint16_t, tile_depth(TileType::bf16), 2>(args, packed);
}
bool pack_f8_tiles(Format format, const Pack<uint8_t>& args, uint8_t* packed) noexcept {
  pack<uint8_t, tile_depth(TileType::bf16), 2>(args, packed);
  const size_t count = tile_packed_size(TileType::bf16, args.k, args.n);
  bool finite = true;
  const bool has_panels = with_f8_codec(format, [&]<class Codec>() {
    finite = std::all_of(packed, packed + count, [](uint8_t code) {
      return (code & (Codec::kSign - 1)) <= Codec::kMaxCode;
    });
  });
  return has_panels && finite;
}

TileScope::TileScope() noexcept {
#ifdef FP8Q_HAVE_TILES
  if (isa() >= Isa::amx) load_config();
#endif
}

TileScope::~TileScope() {
#ifdef FP8Q_HAVE_TILES
  if (isa() >= Isa::amx) release();
#endif
}

double run_tiles([[maybe_unused]] TileType type, [[maybe_unused]] size_t turns) noexcept {
#ifdef FP8Q_HAVE_TILES
  if (isa() < Isa::amx) return 0;
  const TileScope scope;
  if (type == TileType::int8) run_products<TileType::int8>(turns);
  else run_products<TileType::bf16>(turns);
  constexpr double kProducts = 4 * 16 * 16;
  return kProducts * static_cast<double>(tile_depth(type)) * 2 * static_cast<double>(turns);
#else
  return 0;
#endif
}

void multiply_tiles(const TileScope&, const TileBlock& block) noexcept {
  const bool int8 = block.type == TileType::int8;
#ifdef FP8Q_HAVE_TILES
  if (isa() >= Isa::amx)
    return int8 ? multiply<TileType::int8>(block) : multiply<TileType::bf16>(block);
#endif
  if (int8) multiply_plainly<int8_t, int32_t>(block);
  else multiply_plainly<uint16_t, float>(block);
}

}  // namespace fp8q::cpu
