#include "numeric/format.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/assert.h"
#include "numeric/codecs.h"

namespace fp8q {
namespace {

constexpr std::array kFormats = {
#define FP8Q_FORMAT(id, onnx_type, codec) \
  FormatInfo{Format::id, #id, onnx_type, codec::largest(), codec::step_at_zero(), codec::kInteger},
#include "numeric/formats.def"
#undef FP8Q_FORMAT
};

// Calls f with the codec of `format` as its argument.
template <typename F>
auto with_codec(Format format, const F& f) {
  return with_format(format, [&]<Format kFormat>() { return f(CodecOf<kFormat>()); });
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
