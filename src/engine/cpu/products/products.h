// Declares the rows of products.def.
#pragma once

#include "engine/cpu/product.h"

namespace fp8q::cpu::products {

#define FP8Q_PRODUCT(id) extern const ProductKernel id;
#include "engine/cpu/products/products.def"
#undef FP8Q_PRODUCT

}  // namespace fp8q::cpu::products
