#include "calibrate/prediction.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fp8q {

float Prediction::range(double deviations) const {
  double largest = 0;
  for (size_t i = 0; i < mean.size(); ++i)
    for (const double side : {-deviations, deviations}) {
      const double x = static_cast<double>(mean[i]) + side * static_cast<double>(deviation[i]);
      largest = std::max(largest, std::fabs(function ? function(x) : x));
    }
  return static_cast<float>(
      std::min(largest, static_cast<double>(std::numeric_limits<float>::max())));
}

}  // namespace fp8q
