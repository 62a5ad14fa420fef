// Multiplies INT8 by INT8 as integers of 16 bits.
#include "engine/cpu/products/packed_int8.h"

namespace fp8q::cpu::products {
namespace {

class I8Pairs final : public PackedInt8<int16_t> {
 public:
  explicit I8Pairs(ProductParts& parts) : PackedInt8(elements::kI16, pack_i8, parts) {}

  std::string text(const std::string& formats) const override {
    return formats + " as int16 products, exact int32 sums";
  }
};

}  // namespace

const ProductKernel i8_pairs = {
    .serves = [](const ProductTypes& types, size_t in,
                 const Machine&) { return types.integers() && in <= kMostExactDepth; },
    .weight_bytes = 1,
    .make = [](ProductParts& parts) -> std::unique_ptr<Product> {
      return std::make_unique<I8Pairs>(parts);
    }};

}  // namespace fp8q::cpu::products
