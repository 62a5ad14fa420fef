// Lists the types of elements that rows of an operand can have, each with the kernels that make
// them of floats.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/codec.h"

namespace fp8q::cpu {

struct Element {
  size_t bytes;
  // This many columns stand together. Parts of rows begin at multiples of it.
  size_t group;
  bool in_tiles;  // whether the operand stands in tiles (kernels/cpu/tiles.h)
  // Writes the codes of rows, as values or as integers.
  RoundingCount (*quantize)(const QuantizeRows& rows) noexcept;
  // Rounds rows to BF16; nullptr if the element holds integers.
  void (*round)(const QuantizeRows& rows) noexcept;

  template <typename T, void (*kRound)(const float*, size_t, T*) noexcept>
  static void round_rows(const QuantizeRows& q) noexcept {
    for (size_t r = 0; r < q.rows; ++r)
      kRound(q.x + r * q.x_stride, q.columns, static_cast<T*>(q.out) + r * q.out_stride);
  }
};

namespace elements {

inline constexpr Element kF32 = {4, 1, false, quantize_to_f32,
                                 Element::round_rows<float, round_to_bf16_values>};
// The second element of each pair comes first; see GemmBf16.
inline constexpr Element kBf16Pairs = {2, 2, false, quantize_to_bf16_pairs,
                                       Element::round_rows<uint16_t, round_to_bf16_pairs>};
inline constexpr Element kBf16 = {2, 1, false, quantize_to_bf16,
                                  Element::round_rows<uint16_t, round_to_bf16>};
inline constexpr Element kI8 = {1, 1, false, quantize_to_i8, nullptr};
inline constexpr Element kU8 = {1, 1, false, quantize_to_u8, nullptr};  // see GemmU8
inline constexpr Element kI16 = {2, 1, false, quantize_to_i16, nullptr};
inline constexpr Element kI8Tiles = {1, 16, true, quantize_to_i8_tiles, nullptr};
inline constexpr Element kBf16Tiles = {2, 16, true, quantize_to_bf16_tiles, round_to_bf16_tiles};

}  // namespace elements
}  // namespace fp8q::cpu
