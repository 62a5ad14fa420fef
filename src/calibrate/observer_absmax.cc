#include "calibrate/observer_functions.h"

namespace fp8q {

float observe_absmax(const SiteStatistics& statistics, Format, double) {
  return statistics.absmax();
}

}  // namespace fp8q
