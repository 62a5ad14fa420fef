// Makes the description of a tiny encoder (unit/encoder/tiny_encoder.h) from bytes.
#pragma once

#include "tests/fuzz/fuzz.h"
#include "unit/encoder/tiny_encoder.h"

namespace fp8q::test {

inline constexpr size_t kMostTokens = 9;  // of a sequence, whatever the style

Style style_of(ByteSource& bytes);

}  // namespace fp8q::test
