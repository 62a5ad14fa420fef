#include "calibrate/observer_functions.h"

namespace fp8q {

float observe_absmax(const Evidence& evidence, Format, double) {
  return evidence.statistics.absmax();
}

}  // namespace fp8q
