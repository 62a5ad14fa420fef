#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/cpu/f8_panels.h"
#include "kernels/cpu/gemm.h"

namespace fp8q::cpu {
namespace {

template <typename T>
using Row = T[kPanel];

// Calls put(panel, k, row) with the panel's row k of B, filled up with zeros. All rows have one
// length, so that the compiler vectorizes their processing. Some k are handled at a time for all
// panels, since a panel alone takes one cache line of each memory page.
template <typename T, class Put>
void for_each_row(const Pack<T>& b, const Put& put) {
  constexpr size_t kBlock = 64;
  for (size_t block = 0; block < b.k; block += kBlock) {
    const size_t end = std::min(block + kBlock, b.k);
    for (size_t p = 0; p < panels(b.n); ++p) {
      const size_t columns = std::min(kPanel, b.n - p * kPanel);
      for (size_t k = block; k < end; ++k) {
        const T* from = b.b + k * b.row_stride + p * kPanel * b.column_stride;
        Row<T> row = {};
        if (b.column_stride == 1 && columns == kPanel) std::memcpy(row, from, sizeof(row));
        else
          for (size_t n = 0; n < columns; ++n) row[n] = from[n * b.column_stride];
        put(p, k, row);
      }
    }
  }
}

// Writes zeros to the part of the last step of every panel that packing leaves.
template <typename T>
void clear_last_step(T* packed, size_t n, size_t depth, size_t step) {
  for (size_t p = 0; p < panels(n); ++p)
    std::fill_n(packed + ((p + 1) * depth - step) * kPanel, step * kPanel, T{0});
}

// Returns the place of column 0 if the elements of a column stand side by side for kStep steps of
// k.
template <size_t kStep, typename T>
T* in_steps(T* packed, size_t depth, size_t p, size_t k) {
  return packed + (p * depth + k / kStep * kStep) * kPanel + k % kStep;
}

}  // namespace

void pack_f32(const Pack<float>& args, float* packed) noexcept {
  for_each_row(args, [&](size_t p, size_t k, const Row<float>& row) {
    std::memcpy(packed + (p * args.k + k) * kPanel, row, sizeof(row));
  });
}

void pack_bf16(const Pack<float>& args, uint16_t* packed) noexcept {
  const size_t depth = paired(args.k);
  clear_last_step(packed, args.n, depth, 2);
  for_each_row(args, [&](size_t p, size_t k, const Row<float>& row) {
    uint16_t* to = in_steps<2>(packed, depth, p, k ^ 1);  // the second value first
    for (size_t n = 0; n < kPanel; ++n)
      to[2 * n] = static_cast<uint16_t>(std::bit_cast<uint32_t>(row[n]) >> 16);
  });
}

bool pack_f8(Format format, const Pack<uint8_t>& args, uint8_t* packed) noexcept {
  int not_finite = 0;
  const bool has_panels = with_f8_codec(format, [&]<class Codec>() {
    const size_t depth = paired(args.k);
    clear_last_step(packed, args.n, depth, 2);
    for_each_row(args, [&](size_t p, size_t k, const Row<uint8_t>& row) {
      std::memcpy(packed + (p * depth + k) * kPanel, row, sizeof(row));
      for (size_t n = 0; n < kPanel; ++n)
        not_finite |= (row[n] & (Codec::kSign - 1)) > Codec::kMaxCode;
    });
  });
  return has_panels && not_finite == 0;
}

bool has_f8_panels(Format format) noexcept {
  return with_f8_codec(format, []<class Codec>() {});
}

float f8_scale(Format format) noexcept {
  float scale = 1.0f;
  with_f8_codec(format, [&]<class Codec>() { scale = F8Panels<Codec>::kScale; });
  return scale;
}

void pack_i8(const Pack<int8_t>& args, int8_t* packed, int32_t* start) noexcept {
  const size_t depth = in_fours(args.k);
  clear_last_step(packed, args.n, depth, 4);
  for_each_row(args, [&](size_t p, size_t k, const Row<int8_t>& row) {
    int8_t* to = in_steps<2>(packed, depth, p, k);
    for (size_t n = 0; n < kPanel; ++n) to[2 * n] = row[n];
  });
  // Two rows of pairs hold w0 w1 and w2 w3 of a column.
  for (size_t p = 0; p < panels(args.n); ++p)
    for (size_t n = 0; n < kPanel; ++n) {
      int32_t sum = 0;
      for (size_t k = 0; k < depth; k += 4) {
        const int8_t* w = packed + (p * depth + k) * kPanel + 2 * n;
        sum += w[0] * w[2 * kPanel] + w[1] * w[2 * kPanel + 1];
      }
      start[p * kPanel + n] = -sum;
    }
}

void pack_i8_fours(const Pack<int8_t>& args, int8_t* packed, int32_t* start) noexcept {
  const size_t depth = in_fours(args.k);
  clear_last_step(packed, args.n, depth, 4);
  std::fill_n(start, panels(args.n) * kPanel, 0);
  for_each_row(args, [&](size_t p, size_t k, const Row<int8_t>& row) {
    int8_t* to = in_steps<4>(packed, depth, p, k);
    for (size_t n = 0; n < kPanel; ++n) {
      to[4 * n] = row[n];
      start[p * kPanel + n] -= 128 * row[n];
    }
  });
}

}  // namespace fp8q::cpu
