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
  // Writes the codes of rows, as values or as integers.
  RoundingCount (*quantize)(const QuantizeRows& rows) noexcept;
  // Rounds floats to BF16 and writes them; nullptr if the element holds integers.
  void (*round)(const float* x, size_t n, void* out) noexcept;

  template <typename T, void (*kRound)(const float*, size_t, T*) noexcept>
  static void round_to(const float* x, size_t n, void* out) noexcept {
    kRound(x, n, static_cast<T*>(out));
  }
};

namespace elements {

inline constexpr Element kF32 = {sizeof(float), 1, quantize_to_f32,
                                 Element::round_to<float, round_to_bf16_values>};
inline constexpr Element kBf16 = {sizeof(uint16_t), 1, quantize_to_bf16,
                                  Element::round_to<uint16_t, round_to_bf16>};
// The second element of each pair comes first; see GemmBf16.
inline constexpr Element kBf16Pairs = {sizeof(uint16_t), 2, quantize_to_bf16_pairs,
                                       Element::round_to<uint16_t, round_to_bf16_pairs>};
inline constexpr Element kI8 = {sizeof(int8_t), 1, quantize_to_i8, nullptr};
inline constexpr Element kU8 = {sizeof(uint8_t), 1, quantize_to_u8, nullptr};  // see GemmU8
inline constexpr Element kI16 = {sizeof(int16_t), 1, quantize_to_i16, nullptr};

}  // namespace elements
}  // namespace fp8q::cpu
