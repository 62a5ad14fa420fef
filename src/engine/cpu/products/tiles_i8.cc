// Multiplies INT8 by INT8 by AMX tiles.
#include "engine/cpu/products/products.h"
#include "engine/cpu/products/tiles.h"

namespace fp8q::cpu::products {
namespace {

class TilesI8 final : public TilesProduct {
 public:
  explicit TilesI8(ProductParts& parts)
      : TilesProduct(TileType::int8, parts),
        weights_(tile_packed_size(TileType::int8, parts.in, parts.out)) {
    const auto* codes = reinterpret_cast<const int8_t*>(parts.weight.codes.data());
    pack_tiles(plain_rows(codes, parts), weights_.data());
  }

  Unit unit() const override { return Unit::int8_tiles; }
  std::string text(const std::string& formats) const override {
    return formats + " dot products by AMX tiles, exact int32 sums";
  }

 private:
  const std::byte* panels(Range columns, Buffer<std::byte>&) const override {
    return reinterpret_cast<const std::byte*>(weights_.data() + first_of(columns));
  }

  Buffer<int8_t> weights_;
};

}  // namespace

const ProductKernel tiles_i8 = {
    .serves =
        [](const ProductTypes& types, size_t in, const Machine& machine) {
          return types.integers() && in <= kMostExactDepth && machine.isa >= Isa::amx;
        },
    .weight_bytes = 1,
    .make = [](ProductParts& parts) -> std::unique_ptr<Product> {
      return std::make_unique<TilesI8>(parts);
    }};

}  // namespace fp8q::cpu::products
