// Lists values that every format treats apart.
#pragma once

#include <limits>

namespace fp8q::test {

inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

}  // namespace fp8q::test
