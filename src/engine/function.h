// Names activation functions in the terms of a device's kernels.
#pragma once

#include "base/error.h"
#include "encoder/encoder.h"

namespace fp8q {

// `Function` is cpu::Function or cuda::Function.
template <class Function>
Function function_of(Activation activation) {
  switch (activation) {
    case Activation::none:
      return Function::none;
    case Activation::gelu_erf:
      return Function::gelu_erf;
    case Activation::gelu_tanh:
      return Function::gelu_tanh;
    case Activation::relu:
      return Function::relu;
    case Activation::tanh:
      return Function::tanh;
  }
  FP8Q_ASSERT(!"activation without a kernel");
}

}  // namespace fp8q
