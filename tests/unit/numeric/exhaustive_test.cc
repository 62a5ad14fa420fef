// Runs all 2^32 floats through every codec. This takes about three minutes, so it runs only with
// FP8Q_EXHAUSTIVE=1.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "numeric/integer_codec.h"
#include "numeric/minifloat.h"
#include "tests/unit/numeric/exhaustive.h"
#include "tests/unit/numeric/slow_codec.h"

namespace fp8q::test {
namespace {

// Magnitudes come in ascending order: the expected code moves up when a midpoint is passed.
template <typename Codec>
uint64_t count_mismatches(SlowFormat format, bool saturate) {
  const SlowCodec slow(format);
  const uint32_t beyond = format.largest_code() + 1;
  uint64_t mismatches = 0;
  uint32_t nearest = 0;
  for (uint32_t bits = 0; bits <= 0x7F800000; ++bits) {
    const float x = std::bit_cast<float>(bits);
    while (nearest < beyond &&
           (x > slow.midpoint(nearest) || (x == slow.midpoint(nearest) && nearest % 2 == 1)))
      ++nearest;
    const uint32_t expected = nearest == beyond && saturate ? format.largest_code() : nearest;
    mismatches += Codec::encode(x, saturate) != expected;
    mismatches += Codec::encode(-x, saturate) != (expected | format.sign_code());
  }
  for (uint32_t bits = 0x7F800001; bits <= 0x7FFFFFFF; ++bits) {
    const float x = std::bit_cast<float>(bits);
    mismatches += !std::isnan(Codec::decode(Codec::encode(x, saturate)));
    mismatches += !std::isnan(Codec::decode(Codec::encode(-x, saturate)));
  }
  return mismatches;
}

uint64_t count_mismatches_of_int8() {
  uint64_t mismatches = 0;
  uint32_t bits = 0;
  do {
    const float x = std::bit_cast<float>(bits);
    mismatches += Int8Codec::encode(x) != slow_int8(x);
  } while (++bits != 0);
  return mismatches;
}

TEST(Exhaustive, AllFloats) {
  if (!exhaustive()) GTEST_SKIP() << kExhaustiveHint;
  for (const bool saturate : {false, true}) {
    EXPECT_EQ(count_mismatches<E4M3Codec>(kSlowE4M3, saturate), 0u);
    EXPECT_EQ(count_mismatches<E5M2Codec>(kSlowE5M2, saturate), 0u);
    EXPECT_EQ(count_mismatches<Float16Codec>(kSlowFloat16, saturate), 0u);
  }
  EXPECT_EQ(count_mismatches<BFloat16Codec>(kSlowBFloat16, false), 0u);
  EXPECT_EQ(count_mismatches_of_int8(), 0u);
}

}  // namespace
}  // namespace fp8q::test
