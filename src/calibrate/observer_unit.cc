// The range is what the weights alone predict (prediction.h), for calibration without data.
#include "base/assert.h"
#include "calibrate/observer_functions.h"

namespace fp8q {

float observe_unit(const Evidence& evidence, Format, double deviations) {
  FP8Q_ASSERT(evidence.prediction);
  return evidence.prediction->range(deviations);
}

}  // namespace fp8q
