#include "graph/site_rounding.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "base/error.h"
#include "numeric/study_format.h"
#include "numeric/token_scale.h"

namespace fp8q {
namespace {

// Returns NaN if an element is NaN: magnitudes order as integers do, and NaN is above all numbers.
float absmax_of(std::span<const float> row) {
  uint32_t largest = 0;
  for (const float x : row) largest = std::max(largest, std::bit_cast<uint32_t>(x) & 0x7FFFFFFF);
  return std::bit_cast<float>(largest);
}

// The results are exact, because factors are powers of two.
template <typename Change>
void for_each_factor(const Quantization& quantization, std::span<float> values, Change change) {
  const auto& factors = quantization.factors;
  if (factors.empty()) return;
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = change(values[i], factors[i % factors.size()]);
}

void round_products(const Quantization& quantization, std::span<float> values, int64_t columns) {
  const StudyFormat& format = study_format(quantization.format);
  if (!quantization.per_token) {
    FP8Q_ASSERT(quantization.scale.size() == 1);
    round_values(format, quantization.scale.to(DType::f32).data<float>()[0], values);
    return;
  }
  const auto width = static_cast<size_t>(columns);
  for (size_t at = 0; at < values.size(); at += width) {
    const auto row = values.subspan(at, width);
    round_values(format, token_scale(quantization.format, absmax_of(row)), row);
  }
}

}  // namespace

void round_values(const Quantization& quantization, std::span<float> values, int64_t columns) {
  for_each_factor(quantization, values, std::multiplies());
  round_products(quantization, values, columns);
  for_each_factor(quantization, values, std::divides());
}

}  // namespace fp8q
