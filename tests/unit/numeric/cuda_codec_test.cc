// Compares the codecs with the host functions of CUDA's cuda_fp8.h, an implementation by others
// that needs no GPU: all halves, all BF16 values and all midpoints with their neighbors, or all
// floats.
#include <cuda_fp8.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "numeric/minifloat.h"
#include "tests/unit/numeric/exhaustive.h"
#include "tests/unit/numeric/slow_codec.h"
#include "tests/unit/numeric/special_values.h"

namespace fp8q::test {
namespace {

struct E4M3 {
  using Codec = E4M3Codec;
  static constexpr __nv_fp8_interpretation_t kKind = __NV_E4M3;
  static constexpr SlowFormat kSlow = kSlowE4M3;
};
struct E5M2 {
  using Codec = E5M2Codec;
  static constexpr __nv_fp8_interpretation_t kKind = __NV_E5M2;
  static constexpr SlowFormat kSlow = kSlowE5M2;
};

template <typename T>
class CudaCodec : public testing::Test {
 protected:
  // CUDA has one NaN without a sign, and saturates Inf like ONNX.
  static bool same(float x) {
    for (const bool saturate : {false, true}) {
      const uint32_t code = T::Codec::encode(x, saturate);
      const uint32_t theirs =
          __nv_cvt_float_to_fp8(x, saturate ? __NV_SATFINITE : __NV_NOSAT, T::kKind);
      const bool nan = std::isnan(T::Codec::decode(code));
      if (nan ? !std::isnan(T::Codec::decode(theirs)) : code != theirs) return false;
    }
    return true;
  }
};
using BothFormats = testing::Types<E4M3, E5M2>;
TYPED_TEST_SUITE(CudaCodec, BothFormats);

TYPED_TEST(CudaCodec, EncodesHalvesBFloat16AndMidpointsAlike) {
  for (uint32_t code = 0; code <= 0xFFFF; ++code)
    for (const float x : {Float16Codec::decode(code), BFloat16Codec::decode(code)})
      ASSERT_TRUE(this->same(x)) << std::hexfloat << x;
  const SlowCodec slow(TypeParam::kSlow);
  for (uint32_t code = 0; code <= slow.format().largest_code(); ++code) {
    const auto middle = static_cast<float>(slow.midpoint(code));
    for (const float x : {middle, std::nextafter(middle, 0.0f), std::nextafter(middle, kInf)})
      for (const float y : {x, -x}) ASSERT_TRUE(this->same(y)) << std::hexfloat << y;
  }
}

TYPED_TEST(CudaCodec, EncodesAllFloatsAlike) {
  if (!exhaustive()) GTEST_SKIP() << kExhaustiveHint;
  uint64_t mismatches = 0;
  uint32_t bits = 0;
  do mismatches += !this->same(std::bit_cast<float>(bits));
  while (++bits != 0);
  EXPECT_EQ(mismatches, 0u);
}

TYPED_TEST(CudaCodec, DecodesAlike) {
  for (uint32_t code = 0; code < 256; ++code) {
    const __half_raw half =
        __nv_cvt_fp8_to_halfraw(static_cast<__nv_fp8_storage_t>(code), TypeParam::kKind);
    const float theirs = Float16Codec::decode(half.x);
    const float ours = TypeParam::Codec::decode(code);
    EXPECT_TRUE(std::isnan(ours) ? std::isnan(theirs) : ours == theirs) << code;
  }
}

}  // namespace
}  // namespace fp8q::test
