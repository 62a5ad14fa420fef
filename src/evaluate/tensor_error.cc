#include "evaluate/tensor_error.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/assert.h"

namespace fp8q {

void TensorError::add(std::span<const float> reference, std::span<const float> compared) {
  FP8Q_ASSERT(reference.size() == compared.size());
  for (size_t i = 0; i < reference.size(); ++i) {
    const double a = reference[i], b = compared[i];
    if (!std::isfinite(a) || !std::isfinite(b)) {
      ++nonfinite;
      continue;
    }
    const double difference = a - b;
    ++values;
    signal += a * a;
    other += b * b;
    product += a * b;
    noise += difference * difference;
    largest = std::max(largest, std::fabs(difference));
  }
}

double TensorError::cosine() const {
  if (signal == 0 || other == 0) return signal == other ? 1 : 0;
  // A single root of the product of sums would overflow sooner. Rounding may leave [-1, 1].
  return std::clamp(product / (std::sqrt(signal) * std::sqrt(other)), -1.0, 1.0);
}

double TensorError::nmse() const {
  if (noise == 0) return 0;
  return signal == 0 ? std::numeric_limits<double>::infinity() : noise / signal;
}

}  // namespace fp8q
