// Declares the rows of products.def, and what they share.
#pragma once

#include <optional>

#include "engine/cpu/buffer.h"
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

// Packs FP8 weights as gemm_f8() takes them. Returns nullopt if not all are finite.
inline std::optional<Buffer<uint8_t>> f8_panels(const ProductParts& parts) {
  Buffer<uint8_t> panels(packed_size(paired(parts.in), parts.out));
  const auto codes = plain_rows(parts.weight.codes.data(), parts);
  if (!pack_f8(*parts.types.w, codes, panels.data())) return std::nullopt;
  return panels;
}

}  // namespace fp8q::cpu::products
