#include "fp8q/common.h"

#ifndef FP8Q_VERSION
#error "FP8Q_VERSION is set by CMake"
#endif

namespace fp8q {

std::string_view version() { return FP8Q_VERSION; }

}  // namespace fp8q
