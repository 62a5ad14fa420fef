// Declares the functions behind the rows of observers.def. This header is internal; callers use
// range().
#pragma once

#include "calibrate/observer.h"

namespace fp8q {

#define FP8Q_OBSERVER(id, ...) \
  float observe_##id(const Evidence& evidence, Format format, double parameter);
#include "calibrate/observers.def"
#undef FP8Q_OBSERVER

}  // namespace fp8q
