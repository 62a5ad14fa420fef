// Defines helpers of the kernel tests: random arrays, and every instruction set this CPU has.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <vector>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/isa.h"

namespace fp8q::cpu {

// Describes a product [m, k] x [k, n].
struct Problem {
  size_t m, n, k;
};

inline std::vector<float> random_floats(size_t n, unsigned seed, float spread = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> x(n);
  for (float& v : x) v = normal(random);
  return x;
}

// Runs the body once per instruction set, from plain C to the best there is.
template <typename F>
void for_each_isa(const F& body) {
  for (size_t i = 0; i <= static_cast<size_t>(detected_isa()); ++i) {
    const auto level = static_cast<Isa>(i);
    limit_isa(level);
    SCOPED_TRACE(name(level));
    body(level);
  }
  limit_isa(detected_isa());
}

// Packs plain [k, n] weights.
inline std::vector<float> packed(const std::vector<float>& b, size_t k, size_t n) {
  std::vector<float> to(packed_size(k, n));
  pack_f32({.b = b.data(), .row_stride = n, .column_stride = 1, .k = k, .n = n}, to.data());
  return to;
}

}  // namespace fp8q::cpu
