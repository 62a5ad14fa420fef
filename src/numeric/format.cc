#include "numeric/format.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/assert.h"

namespace fp8q {
namespace {

constexpr std::array kFormats = {
#define FORMAT(id, onnx_type, largest, step, integer) \
  FormatInfo{Format::id, #id, onnx_type, largest, step, integer},
#include "numeric/formats.def"
#undef FORMAT
};

struct Int8Codec {
  // 1.5 * 2^23: adding it to |x| < 2^22 leaves no bits for a fraction, so that the sum is rounded
  // to an integer, to nearest even as all FP32 arithmetic here.
  static constexpr float kRounder = 12582912.0f;

  static uint32_t encode(float x) {
    if (std::isnan(x)) return 0;
    const float rounded = (std::clamp(x, -128.0f, 127.0f) + kRounder) - kRounder;
    return static_cast<uint8_t>(static_cast<int8_t>(rounded));
  }
  static float decode(uint32_t code) { return static_cast<float>(static_cast<int8_t>(code)); }
};

// Calls f with the codec of `format` as its argument.
template <typename F>
auto with_codec(Format format, F&& f) {
  switch (format) {
    case Format::e4m3:
      return f(E4M3Codec{});
    case Format::e5m2:
      return f(E5M2Codec{});
    case Format::int8:
      return f(Int8Codec{});
  }
  FP8Q_ASSERT(!"format without a codec");
}

}  // namespace

std::span<const FormatInfo> all_formats() { return kFormats; }

const FormatInfo& info(Format format) { return kFormats[static_cast<size_t>(format)]; }

std::optional<Format> format_named(std::string_view name) {
  for (const auto& f : kFormats)
    if (f.name == name) return f.id;
  return std::nullopt;
}

std::optional<Format> format_of_onnx_type(int onnx_type) {
  for (const auto& f : kFormats)
    if (f.onnx_type == onnx_type) return f.id;
  return std::nullopt;
}

uint8_t encode(Format format, float x, float scale) {
  return with_codec(format,
                    [&](auto codec) { return static_cast<uint8_t>(codec.encode(x / scale)); });
}

float decode(Format format, uint8_t code) {
  return with_codec(format, [&](auto codec) { return codec.decode(code); });
}

void encode(Format format, std::span<const float> x, float scale, std::span<uint8_t> codes) {
  FP8Q_ASSERT(x.size() == codes.size());
  with_codec(format, [&](auto codec) {
    for (size_t i = 0; i < x.size(); ++i)
      codes[i] = static_cast<uint8_t>(codec.encode(x[i] / scale));
  });
}

void decode(Format format, std::span<const uint8_t> codes, float scale, std::span<float> x) {
  FP8Q_ASSERT(x.size() == codes.size());
  with_codec(format, [&](auto codec) {
    for (size_t i = 0; i < x.size(); ++i) x[i] = codec.decode(codes[i]) * scale;
  });
}

void encode(Format format, std::span<const float> x, std::span<const float> scales,
            std::span<uint8_t> codes) {
  FP8Q_ASSERT(x.size() == codes.size() && x.size() == scales.size());
  with_codec(format, [&](auto codec) {
    for (size_t i = 0; i < x.size(); ++i)
      codes[i] = static_cast<uint8_t>(codec.encode(x[i] / scales[i]));
  });
}

void decode(Format format, std::span<const uint8_t> codes, std::span<const float> scales,
            std::span<float> x) {
  FP8Q_ASSERT(x.size() == codes.size() && x.size() == scales.size());
  with_codec(format, [&](auto codec) {
    for (size_t i = 0; i < x.size(); ++i) x[i] = codec.decode(codes[i]) * scales[i];
  });
}

bool saturates(Format format, float x, float scale) {
  const uint8_t top = encode(format, info(format).largest, 1.0f);
  const float half_step = (decode(format, top) - decode(format, static_cast<uint8_t>(top - 1))) / 2;
  const float lowest = decode(format, encode(format, -INFINITY, 1.0f));
  const float quotient = x / scale;
  return quotient > info(format).largest + half_step || quotient < lowest - half_step;
}

bool underflows(Format format, float x, float scale) {
  return std::fabs(x) > 0 && decode(format, encode(format, x, scale)) == 0;
}

float scale_for(Format format, float absmax) { return scale_to(info(format).largest, absmax); }

float scale_to(float largest, float absmax) {
  FP8Q_ASSERT(std::isfinite(absmax) && absmax >= 0.0f);
  if (absmax == 0.0f) return 1.0f;
  const auto bits = std::bit_cast<uint32_t>(absmax / largest);
  const auto cut = std::bit_cast<float>(bits & ~0xFFFu);
  return std::max(cut, std::numeric_limits<float>::min());
}

}  // namespace fp8q
