#include "calibrate/observer_functions.h"

namespace fp8q {

float observe_absmax(const SiteStatistics& statistics, Format, const ObserverOptions&) {
  return statistics.absmax();
}

}  // namespace fp8q
