#include "engine/cpu/product.h"

#include "base/error.h"
#include "engine/cpu/products/products.h"

namespace fp8q::cpu {

namespace {

constexpr const ProductKernel* kKernels[] = {
#define FP8Q_PRODUCT(id) &products::id,
#include "engine/cpu/products/products.def"
#undef FP8Q_PRODUCT
};

}  // namespace

std::unique_ptr<Product> make_product(ProductParts parts) {
  const Machine here = machine();
  for (const ProductKernel* kernel : kKernels)
    if (kernel->serves(parts.types, parts.in, here))
      if (auto product = kernel->make(parts)) return product;
  FP8Q_ASSERT(!"the last row serves everything");
}

size_t weight_bytes_of(const ProductTypes& types, size_t in) {
  const Machine here = machine();
  for (const ProductKernel* kernel : kKernels)
    if (kernel->serves(types, in, here)) return kernel->weight_bytes;
  FP8Q_ASSERT(!"the last row serves everything");
}

}  // namespace fp8q::cpu
