// Says which formats gemm_f8 takes (gemm.h), and how their codes become values.
#pragma once

#include <cstdint>

#include "numeric/codecs.h"

namespace fp8q::cpu {

// Panels exist for floats of 8 bits whose fields FP16 has room for. A code's fields, moved to where
// FP16 has them, are a value of FP16 that is 2^(15 - bias) times smaller, where 15 is FP16's bias.
template <class Codec>
struct F8Panels {
  static constexpr bool kExist = false;
};
template <int kExponentBits, int kMantissaBits, Specials kSpecials>
struct F8Panels<MiniFloat<kExponentBits, kMantissaBits, kSpecials>> {
  using Codec = MiniFloat<kExponentBits, kMantissaBits, kSpecials>;
  static constexpr bool kExist = Codec::kBits == 8 && kExponentBits <= 5;
  static constexpr int kShift = Float16Codec::kMantissa - kMantissaBits;
  // These bits of FP16's exponent are missing in the code.
  static constexpr uint32_t kAbove = Float16Codec::kTopExponent & ~(Codec::kTopExponent << kShift);
  static constexpr float kScale = 1u << (Float16Codec::kBias - Codec::kBias);
};

// Calls f.template operator()<codec>() with the codec of a format that has panels. Returns false if
// the format has none.
template <typename F>
bool with_f8_codec(Format format, const F& f) {
  return with_format(format, [&]<Format kFormat>() {
    using Codec = CodecOf<kFormat>;
    if constexpr (F8Panels<Codec>::kExist) f.template operator()<Codec>();
    return F8Panels<Codec>::kExist;
  });
}

}  // namespace fp8q::cpu
