// Multiplies BF16 by the values of FP8 codes by AMX tiles. Codes stand where BF16 would, and are
// decoded for each block of columns, so that weights take a byte each.
#include "engine/cpu/products/products.h"
#include "engine/cpu/products/tiles.h"

namespace fp8q::cpu::products {
namespace {

class TilesF8 final : public TilesProduct {
 public:
  TilesF8(ProductParts& parts, Buffer<uint8_t> weights)
      : TilesProduct(TileType::bf16, parts, f8_scale(*parts.types.w)),
        format_(*parts.types.w),
        weights_(std::move(weights)) {}

  Unit unit() const override { return Unit::bf16_tiles; }
  std::string text(const std::string& formats) const override {
    return formats + " as bf16 dot products by AMX tiles, exact; fp32 sums";
  }

 private:
  const std::byte* panels(Range columns, Buffer<std::byte>& memory) const override {
    const size_t count = tile_panels(columns.size()) * kTilePanel * form().stride();
    std::byte* values = memory.grow(count * sizeof(uint16_t));
    f8_to_bf16(format_, weights_.data() + first_of(columns), count,
               reinterpret_cast<uint16_t*>(values));
    return values;
  }

  Format format_;
  Buffer<uint8_t> weights_;
};

}  // namespace

const ProductKernel tiles_f8 = {
    .serves =
        [](const ProductTypes& types, size_t, const Machine& machine) {
          return types.halves() && types.w && has_f8_panels(*types.w) && machine.isa >= Isa::amx &&
                 !types.expand_codes;
        },
    .weight_bytes = 1,
    .make = [](ProductParts& parts) -> std::unique_ptr<Product> {
      Buffer<uint8_t> weights(tile_packed_size(TileType::bf16, parts.in, parts.out));
      const auto codes = plain_rows(parts.weight.codes.data(), parts);
      if (!pack_f8_tiles(*parts.types.w, codes, weights.data())) return nullptr;  // not finite
      return std::make_unique<TilesF8>(parts, std::move(weights));
    }};

}  // namespace fp8q::cpu::products
