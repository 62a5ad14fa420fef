// Encodes and decodes any floats in every format, also with the kernels of every instruction set,
// and compares with a second implementation (unit/numeric/slow_codec.h). An input is the scale,
// then the floats.
#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "kernels/cpu/codec.h"
#include "kernels/cpu/isa.h"
#include "numeric/study_format.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/numeric/slow_codec.h"

namespace fp8q::test {
namespace {

bool same(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
}

uint32_t slow_encode(Format format, float x) {
  static const SlowCodec e4m3(kSlowE4M3), e5m2(kSlowE5M2);
  if (format == Format::int8) return slow_int8(x);
  return (format == Format::e4m3 ? e4m3 : e5m2).encode(x, true);
}

float slow_decode(Format format, uint32_t code) {
  if (format == Format::int8) return static_cast<float>(static_cast<int8_t>(code));
  const SlowFormat slow = format == Format::e4m3 ? kSlowE4M3 : kSlowE5M2;
  const uint32_t magnitude = code & (slow.sign_code() - 1);
  double value = slow.value(magnitude);
  if (magnitude > slow.largest_code())
    value = slow.ieee && magnitude == slow.largest_code() + 1 ? INFINITY : NAN;
  return static_cast<float>(code & slow.sign_code() ? -value : value);
}

void check_wide_codecs(float x) {
  static const SlowCodec f16(kSlowFloat16), bf16(kSlowBFloat16);
  for (const bool saturate : {false, true})
    require(Float16Codec::encode(x, saturate) == f16.encode(x, saturate), "float16");
  if (!std::isnan(x)) require(BFloat16Codec::encode(x) == bf16.encode(x, false), "bfloat16");
  else require(std::isnan(BFloat16Codec::decode(BFloat16Codec::encode(x))), "NaN as bfloat16");
}

void check_scalar(Format format, float scale, const std::vector<float>& x) {
  for (const float v : x) {
    const uint8_t code = encode(format, v, scale);
    require(code == slow_encode(format, v / scale), "encode");
    require(same(decode(format, code), slow_decode(format, code)), "decode");
    float rounded = v;
    round_values(study_format(format), scale, {&rounded, 1});
    if (!std::isnan(v / scale)) require(rounded == decode(format, code) * scale, "round_values");
  }
}

void check_kernels(Format format, float scale, const std::vector<float>& x) {
  const size_t n = x.size();
  uint64_t saturated = 0, underflowed = 0;
  for (const float v : x) {
    saturated += saturates(format, v, scale);
    underflowed += underflows(format, v, scale);
  }
  for (size_t level = 0; level <= static_cast<size_t>(cpu::detected_isa()); ++level) {
    cpu::limit_isa(static_cast<cpu::Isa>(level));
    std::vector<float> values(n);
    std::vector<uint16_t> halves(n);
    cpu::QuantizeRows rows{format, scale, x.data(), n, values.data(), n, 1, n};
    const cpu::RoundingCount count = cpu::quantize_to_f32(rows);
    require(count.saturated == saturated && count.underflowed == underflowed, "counts");
    rows.out = halves.data();
    cpu::quantize_to_bf16(rows);
    for (size_t i = 0; i < n; ++i) {
      const float expected = decode(format, encode(format, x[i], scale));
      require(same(values[i], expected), "quantize_to_f32");
      require(same(BFloat16Codec::decode(halves[i]), expected), "quantize_to_bf16");
    }
  }
  cpu::limit_isa(cpu::detected_isa());
}

}  // namespace
}  // namespace fp8q::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fp8q::test;
  ByteSource bytes(data, size);
  // Scales are positive and normal, as scale_for() makes them.
  const uint32_t exponent = 1 + bytes.byte() % 254;
  const auto scale = std::bit_cast<float>((exponent << 23) | (bytes.word() & 0x7FFFFF));
  std::vector<float> x;
  while (!bytes.empty() && x.size() < 512) x.push_back(std::bit_cast<float>(bytes.word()));
  if (x.empty()) return 0;
  for (const float v : x) check_wide_codecs(v);
  for (const fp8q::Format format : fp8q::kEveryFormat) {
    check_scalar(format, scale, x);
    check_kernels(format, scale, x);
  }
  return 0;
}
