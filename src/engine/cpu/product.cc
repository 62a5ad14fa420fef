#include "engine/cpu/product.h"

#include "base/error.h"
#include "engine/cpu/products/products.h"

namespace fp8q::cpu {

std::unique_ptr<Product> make_product(ProductParts parts) {
  const Machine here = machine();
  for (const ProductKernel* kernel : {
#define FP8Q_PRODUCT(id) &products::id,
#include "engine/cpu/products/products.def"
#undef FP8Q_PRODUCT
       })
    if (kernel->serves(parts.types, parts.in, here))
      if (auto product = kernel->make(parts)) return product;
  FP8Q_ASSERT(!"the last row serves everything");
}

}  // namespace fp8q::cpu
