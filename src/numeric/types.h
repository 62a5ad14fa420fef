// Defines element types of tensors that C++20 lacks. They store the layout of the file format and
// convert through float.
#pragma once

#include <cstdint>

#include "numeric/minifloat.h"

namespace fp8q {

template <typename C, typename Storage>
struct CodedFloat {
  using Codec = C;
  Storage bits;

  CodedFloat() = default;
  // Half-precision types overflow to Inf as IEEE arithmetic does. 8-bit formats saturate, as ONNX's
  // Cast does by default.
  explicit constexpr CodedFloat(float x)
      : bits(static_cast<Storage>(Codec::encode(x, sizeof(Storage) == 1))) {}
  explicit constexpr operator float() const { return Codec::decode(bits); }
  friend constexpr bool operator==(CodedFloat, CodedFloat) = default;
};

using Float16 = CodedFloat<Float16Codec, uint16_t>;
using BFloat16 = CodedFloat<BFloat16Codec, uint16_t>;
using Float8E4M3 = CodedFloat<E4M3Codec, uint8_t>;
using Float8E5M2 = CodedFloat<E5M2Codec, uint8_t>;

}  // namespace fp8q
