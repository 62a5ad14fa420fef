// Comparing tensors as ONNX's test runner does: type and shape exactly, floating-point values to
// |actual - expected| <= 1e-7 + 1e-3 |expected|, FP8 by code with every NaN alike, integers and
// bool exactly.
#pragma once

#include <string>

#include "tensor/tensor.h"

namespace fp8q::test {

// What differs, with the place of the worst element; empty where nothing does.
std::string difference(const Tensor& actual, const Tensor& expected);

}  // namespace fp8q::test
