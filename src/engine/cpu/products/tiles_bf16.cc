// Multiplies BF16 by BF16 by AMX tiles: values rounded to BF16, or of codes.
#include "engine/cpu/products/products.h"
#include "engine/cpu/products/tiles.h"

namespace fp8q::cpu::products {
namespace {

class TilesBf16 final : public TilesProduct {
 public:
  explicit TilesBf16(ProductParts& parts)
      : TilesProduct(TileType::bf16, parts),
        weights_(tile_packed_size(TileType::bf16, parts.in, parts.out)) {
    const std::vector<float> values = std::move(parts.weight).decoded();
    std::vector<uint16_t> halves(values.size());
    round_to_bf16(values.data(), values.size(), halves.data());  // exact
    pack_tiles(plain_rows(halves.data(), parts), weights_.data());
  }

  Unit unit() const override { return Unit::bf16_tiles; }
  std::string text(const std::string& formats) const override {
    if (formats.empty()) return "bf16 dot products by AMX tiles";
    return formats + " as bf16 dot products by AMX tiles, exact; fp32 sums";
  }

 private:
  const std::byte* panels(Range columns, Buffer<std::byte>&) const override {
    return reinterpret_cast<const std::byte*>(weights_.data() + first_of(columns));
  }

  Buffer<uint16_t> weights_;
};

}  // namespace

const ProductKernel tiles_bf16 = {
    .serves = [](const ProductTypes& types, size_t,
                 const Machine& machine) { return types.halves() && machine.isa >= Isa::amx; },
    .weight_bytes = 2,
    .make = [](ProductParts& parts) -> std::unique_ptr<Product> {
      return std::make_unique<TilesBf16>(parts);
    }};

}  // namespace fp8q::cpu::products
