// Declares the rows of products.def, and what they share.
#pragma once

#include "engine/cpu/product.h"
#include "kernels/cpu/gemm.h"

namespace fp8q::cpu::products {

#define FP8Q_PRODUCT(id) extern const ProductKernel id;
#include "engine/cpu/products/products.def"
#undef FP8Q_PRODUCT

// Describes weights for packing, [in, out] in rows.
template <typename T>
Pack<T> plain_rows(const T* weights, const ProductParts& parts) {
  return {.b = weights, .row_stride = parts.out, .column_stride = 1, .k = parts.in, .n = parts.out};
}

}  // namespace fp8q::cpu::products
