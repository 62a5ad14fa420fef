// Multiplies INT8 by INT8 in fours of k, by the dot products of VNNI.
#include "engine/cpu/products/packed_int8.h"

namespace fp8q::cpu::products {
namespace {

class I8Fours final : public PackedInt8<uint8_t> {
 public:
  explicit I8Fours(ProductParts& parts) : PackedInt8(elements::kU8, pack_i8_fours, parts) {}

  std::string text(const std::string& formats) const override {
    return formats + " dot products, exact int32 sums";
  }
};

}  // namespace

const ProductKernel i8_fours = {
    .serves =
        [](const ProductTypes& types, size_t in, const Machine& machine) {
          return types.integers() && in <= kMostExactDepth && machine.isa >= Isa::avx512_vnni;
        },
    .weight_bytes = 1,
    .make = [](ProductParts& parts) -> std::unique_ptr<Product> {
      return std::make_unique<I8Fours>(parts);
    }};

}  // namespace fp8q::cpu::products
