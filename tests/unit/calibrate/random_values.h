// Makes values as activations have them: mostly normal, some zeros, a few outliers.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "calibrate/site_statistics.h"

namespace fp8q::test {

inline std::vector<float> random_values(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& x : values) {
    x = normal(random);
    if (random() % 16 == 0) x = 0.0f;
    if (random() % 512 == 0) x *= 50.0f;
  }
  return values;
}

// Returns statistics that saw these values.
inline SiteStatistics of_values(const std::vector<float>& values, int64_t columns = 0,
                                size_t group = 0) {
  SiteStatistics statistics;
  statistics.observe(values, columns, group);
  return statistics;
}

}  // namespace fp8q::test
