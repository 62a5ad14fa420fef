// Tells whether tests run all 2^32 floats, which takes minutes, or a selection.
#pragma once

#include <cstdlib>

namespace fp8q::test {

inline constexpr const char* kExhaustiveHint =
    "set FP8Q_EXHAUSTIVE=1 to run all 2^32 floats (scripts/check_codecs.sh)";

inline bool exhaustive() {
  const char* value = std::getenv("FP8Q_EXHAUSTIVE");
  return value && *value == '1';
}

}  // namespace fp8q::test
