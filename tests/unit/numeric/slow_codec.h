// Implements the small floating-point formats a second time, from their definition alone: a table
// of all values in double, and a search for the nearest.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace fp8q::test {

struct SlowFormat {
  int exponent_bits;
  int mantissa_bits;
  bool ieee;  // the top exponent holds Inf and NaN; else only its last code is NaN

  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  uint32_t sign_code() const { return 1u << (exponent_bits + mantissa_bits); }
  uint32_t largest_code() const {
    return ieee ? (((1u << exponent_bits) - 1) << mantissa_bits) - 1 : sign_code() - 2;
  }
  // Returns the value that a code would have if the range had no end. largest_code() + 1 is the
  // next grid point.
  double value(uint32_t code) const {
    const int exponent = static_cast<int>(code >> mantissa_bits);
    const auto mantissa = static_cast<double>(code & ((1u << mantissa_bits) - 1));
    const double one = std::ldexp(1.0, mantissa_bits);
    if (exponent == 0) return std::ldexp(mantissa / one, 1 - bias());
    return std::ldexp(1.0 + mantissa / one, exponent - bias());
  }
};

class SlowCodec {
 public:
  explicit SlowCodec(SlowFormat format) : format_(format) {
    for (uint32_t code = 0; code <= format.largest_code() + 1; ++code)
      values_.push_back(format.value(code));
  }

  const SlowFormat& format() const { return format_; }

  // Returns the midpoint between a code and the next one, exact in double.
  double midpoint(uint32_t code) const { return (values_[code] + values_[code + 1]) / 2; }

  // Returns the code of a finite x, without the range check. largest_code() + 1 stands for
  // "beyond".
  uint32_t nearest(float x) const {
    const double magnitude = std::fabs(static_cast<double>(x));
    const auto above = std::upper_bound(values_.begin(), values_.end(), magnitude);
    if (above == values_.end()) return format_.largest_code() + 1;
    const auto code = static_cast<uint32_t>(above - values_.begin()) - 1;
    const double middle = midpoint(code);
    if (magnitude < middle) return code;
    if (magnitude > middle) return code + 1;
    return code % 2 == 0 ? code : code + 1;
  }

  uint32_t encode(float x, bool saturate) const {
    const uint32_t sign = std::signbit(x) ? format_.sign_code() : 0;
    const uint32_t nan = format_.sign_code() - 1;
    if (std::isnan(x)) return sign | nan;
    const uint32_t code = std::isinf(x) ? format_.largest_code() + 1 : nearest(x);
    if (code <= format_.largest_code()) return sign | code;
    return sign | (saturate ? format_.largest_code() : format_.largest_code() + 1);
  }

 private:
  SlowFormat format_;
  std::vector<double> values_;
};

inline constexpr SlowFormat kSlowE4M3{4, 3, false};
inline constexpr SlowFormat kSlowE5M2{5, 2, true};
inline constexpr SlowFormat kSlowFloat16{5, 10, true};
inline constexpr SlowFormat kSlowBFloat16{8, 7, true};

// Returns the INT8 code of a float by the rule of QuantizeLinear, rounded in double.
inline uint32_t slow_int8(float x) {
  if (std::isnan(x)) return 0;
  const double rounded = std::nearbyint(std::clamp(double{x}, -128.0, 127.0));
  return static_cast<uint8_t>(static_cast<int8_t>(rounded));
}

}  // namespace fp8q::test
