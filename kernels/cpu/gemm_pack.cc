#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/cpu/gemm.h"

namespace fp8q::cpu {
namespace {

using Row = float[kPanel];

// Calls put(panel, k, row): the panel's row k of B, filled up with zeros. Rows have one length, so
// that the compiler makes vectors of what is done with them. Some k at a time for all panels, since
// a panel alone takes one cache line of each memory page.
template <class Put>
void for_each_row(const Pack& b, const Put& put) {
  constexpr size_t kBlock = 64;
  for (size_t block = 0; block < b.k; block += kBlock) {
    const size_t end = std::min(block + kBlock, b.k);
    for (size_t p = 0; p < panels(b.n); ++p) {
      const size_t columns = std::min(kPanel, b.n - p * kPanel);
      for (size_t k = block; k < end; ++k) {
        const float* from = b.b + k * b.row_stride + p * kPanel * b.column_stride;
        Row row = {};
        if (b.column_stride == 1 && columns == kPanel) std::memcpy(row, from, sizeof(row));
        else
          for (size_t n = 0; n < columns; ++n) row[n] = from[n * b.column_stride];
        put(p, k, row);
      }
    }
  }
}

// The codes of values that the format has: multiplied by a power of two, FP32 has a code's fields
// where its own are, those of subnormal numbers included. Sets bits of `not_finite` where a value
// is not finite.
template <class Codec>
void codes_of(const Row& row, uint8_t* codes, uint32_t& not_finite) {
  constexpr auto kMove = std::bit_cast<float>(static_cast<uint32_t>(Codec::kBias) << 23);
  constexpr uint32_t kInf = 0x7F800000;
  uint32_t found = 0;
  for (size_t n = 0; n < kPanel; ++n) {
    const auto bits = std::bit_cast<uint32_t>(row[n] * kMove);
    codes[n] = static_cast<uint8_t>((bits >> (23 - Codec::kMantissa) & 0x7F) | (bits >> 24 & 0x80));
    found |= static_cast<uint32_t>((bits & kInf) == kInf);
  }
  not_finite |= found;
}

template <class Codec>
bool pack_codes(const Pack& args, uint8_t* packed) {
  const size_t depth = paired(args.k);
  uint32_t not_finite = 0;
  for_each_row(args, [&](size_t p, size_t k, const Row& row) {
    codes_of<Codec>(row, packed + (p * depth + k) * kPanel, not_finite);
  });
  for (size_t p = 0; p < panels(args.n); ++p)
    std::fill_n(packed + (p * depth + args.k) * kPanel, (depth - args.k) * kPanel, uint8_t{0});
  return not_finite == 0;
}

}  // namespace

void pack_f32(const Pack& args, float* packed) noexcept {
  for_each_row(args, [&](size_t p, size_t k, const Row& row) {
    std::memcpy(packed + (p * args.k + k) * kPanel, row, sizeof(row));
  });
}

bool pack_f8(Format format, const Pack& args, uint8_t* packed) noexcept {
  return format == Format::e4m3 ? pack_codes<E4M3Codec>(args, packed)
                                : pack_codes<E5M2Codec>(args, packed);
}

float f8_scale(Format format) noexcept { return format == Format::e4m3 ? 256.0f : 1.0f; }

void pack_bf16(const Pack& args, uint16_t* packed) noexcept {
  const size_t depth = paired(args.k);
  std::fill_n(packed, packed_size(depth, args.n), uint16_t{0});
  for_each_row(args, [&](size_t p, size_t k, const Row& row) {
    uint16_t* to = packed + (p * depth + k / 2 * 2) * kPanel + (k + 1) % 2;
    for (size_t n = 0; n < kPanel; ++n)
      to[2 * n] = static_cast<uint16_t>(std::bit_cast<uint32_t>(row[n]) >> 16);
  });
}

namespace {

// Codes of a column stand side by side in groups of kGroup steps of k.
template <size_t kGroup>
int8_t* codes_of_step(int8_t* packed, size_t depth, size_t p, size_t k) {
  return packed + (p * depth + k / kGroup * kGroup) * kPanel + k % kGroup;
}

}  // namespace

void pack_i8(const Pack& args, int8_t* packed) noexcept {
  const size_t depth = paired(args.k);
  std::fill_n(packed, packed_size(depth, args.n), int8_t{0});
  for_each_row(args, [&](size_t p, size_t k, const Row& row) {
    int8_t* to = codes_of_step<2>(packed, depth, p, k);
    for (size_t n = 0; n < kPanel; ++n) to[2 * n] = static_cast<int8_t>(row[n]);
  });
}

void pack_i8_fours(const Pack& args, int8_t* packed, int32_t* start) noexcept {
  const size_t depth = in_fours(args.k);
  std::fill_n(packed, packed_size(depth, args.n), int8_t{0});
  std::fill_n(start, panels(args.n) * kPanel, 0);
  for_each_row(args, [&](size_t p, size_t k, const Row& row) {
    int8_t* to = codes_of_step<4>(packed, depth, p, k);
    for (size_t n = 0; n < kPanel; ++n) {
      const auto code = static_cast<int8_t>(row[n]);
      to[4 * n] = code;
      start[p * kPanel + n] -= 128 * code;
    }
  });
}

}  // namespace fp8q::cpu
