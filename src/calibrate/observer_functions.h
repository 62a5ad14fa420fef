// The functions behind the rows of observers.def. Internal: callers use range().
#pragma once

#include "calibrate/observer.h"

namespace fp8q {

#define OBSERVER(id, description)                                     \
  float observe_##id(const SiteStatistics& statistics, Format format, \
                     const ObserverOptions& options);
#include "calibrate/observers.def"
#undef OBSERVER

}  // namespace fp8q
