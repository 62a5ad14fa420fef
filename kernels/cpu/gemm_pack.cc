#include <algorithm>
#include <cmath>

#include "kernels/cpu/gemm.h"

namespace fp8q::cpu {
namespace {

// Calls put(panel, k, column of the panel, value), panel by panel and row by row.
template <class Put>
void for_each_value(const Pack& b, const Put& put) {
  for (size_t p = 0; p < panels(b.n); ++p) {
    const size_t columns = std::min(kPanel, b.n - p * kPanel);
    for (size_t k = 0; k < b.k; ++k) {
      const float* from = b.b + k * b.row_stride + p * kPanel * b.column_stride;
      for (size_t n = 0; n < columns; ++n) put(p, k, n, from[n * b.column_stride]);
    }
  }
}

}  // namespace

void pack_f32(const Pack& args, float* packed) noexcept {
  std::fill_n(packed + (panels(args.n) - 1) * args.k * kPanel, args.k * kPanel, 0.0f);
  for_each_value(args, [&](size_t p, size_t k, size_t n, float value) {
    packed[(p * args.k + k) * kPanel + n] = value;
  });
}

bool pack_f8(Format format, const Pack& args, uint8_t* packed) noexcept {
  std::fill_n(packed, packed_size(args.k, args.n), uint8_t{0});
  bool finite = true;
  for_each_value(args, [&](size_t p, size_t k, size_t n, float value) {
    packed[(p * args.k + k) * kPanel + n] = encode(format, value, 1.0f);
    finite &= std::isfinite(value);
  });
  return finite;
}

float f8_scale(Format format) noexcept { return format == Format::e4m3 ? 256.0f : 1.0f; }

void pack_i8(const Pack& args, int8_t* packed) noexcept {
  const size_t k_pairs = paired(args.k);
  std::fill_n(packed, packed_size(k_pairs, args.n), int8_t{0});
  for_each_value(args, [&](size_t p, size_t k, size_t n, float value) {
    packed[(p * k_pairs + k / 2 * 2) * kPanel + 2 * n + k % 2] = static_cast<int8_t>(value);
  });
}

}  // namespace fp8q::cpu
