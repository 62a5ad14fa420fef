#include "tests/conformance/comparison.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>

namespace fp8q::test {
namespace {

constexpr double kRelative = 1e-3;
constexpr double kAbsolute = 1e-7;

bool is_exact(DType dtype) {
  return dtype != DType::f32 && dtype != DType::f64 && dtype != DType::f16 && dtype != DType::bf16;
}

// Returns by how much `actual` exceeds the bound. The result is infinite for a wrong special value,
// and negative if `actual` is within the bound.
double excess(double actual, double expected, bool exact) {
  if (std::isnan(expected) || std::isnan(actual) || std::isinf(expected) || std::isinf(actual)) {
    const bool same = (std::isnan(expected) && std::isnan(actual)) || expected == actual;
    return same ? -1 : INFINITY;
  }
  if (exact)
    return expected == actual && std::signbit(expected) == std::signbit(actual) ? -1 : INFINITY;
  return std::fabs(actual - expected) - (kAbsolute + kRelative * std::fabs(expected));
}

}  // namespace

std::string difference(const Tensor& actual, const Tensor& expected) {
  if (actual.dtype() != expected.dtype())
    return fmt::format("type {}, expected {}", name(actual.dtype()), name(expected.dtype()));
  if (actual.shape() != expected.shape())
    return fmt::format("shape {}, expected {}", to_string(actual.shape()),
                       to_string(expected.shape()));
  // Every value but a large int64 is exact in double. Values of int64 are compared as bytes.
  if (actual.dtype() == DType::i64)
    return identical(actual, expected) ? "" : "some integers differ";
  const Tensor a = actual.to(DType::f64);
  const Tensor e = expected.to(DType::f64);
  double worst = 0;
  std::string text;
  for (size_t i = 0; i < a.data<double>().size(); ++i) {
    const double x = a.data<double>()[i];
    const double y = e.data<double>()[i];
    const double over = excess(x, y, is_exact(actual.dtype()));
    if (!(over > worst)) continue;
    worst = over;
    text = fmt::format("element {} of shape {} is {}, expected {}", i, to_string(actual.shape()), x,
                       y);
  }
  return text;
}

}  // namespace fp8q::test
