// Compares tensors as ONNX's test runner does. Type and shape must be equal. Floating-point values
// must satisfy |actual - expected| <= 1e-7 + 1e-3 |expected|. FP8 is compared by code, with all NaN
// equal. Integers and bool must be equal.
#pragma once

#include <string>

#include "tensor/tensor.h"

namespace fp8q::test {

// Returns what differs, with the place of the worst element, or an empty text if nothing differs.
std::string difference(const Tensor& actual, const Tensor& expected);

}  // namespace fp8q::test
