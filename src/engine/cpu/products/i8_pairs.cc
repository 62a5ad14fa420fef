// Multiplies INT8 by INT8 as integers of 16 bits.
#include "engine/cpu/products/packed_product.h"
#include "engine/cpu/products/products.h"

namespace fp8q::cpu::products {
namespace {

class I8Pairs final : public PackedProduct {
 public:
  explicit I8Pairs(ProductParts& parts)
      : PackedProduct({elements::kI16, parts.rounding(), {parts.in, in_fours(parts.in)}}, parts),
        depth_(in_fours(parts.in)),
        weights_(packed_size(depth_, parts.out)),
        start_(panels(parts.out) * kPanel) {
    const auto* codes = reinterpret_cast<const int8_t*>(parts.weight.codes.data());
    pack_i8(plain_rows(codes, parts), weights_.data(), start_.data());
  }

  Unit unit() const override { return Unit::int8; }
  std::string text(const std::string& formats) const override {
    return formats + " as int16 products, exact int32 sums";
  }

 private:
  void form_sums(const Sums& sums) const override {
    auto product = gemm<int16_t>(sums, weights_.data(), depth_);
    product.start = start_.data() + sums.columns.from;
    gemm_i8(product);
  }

  size_t depth_;
  Buffer<int8_t> weights_;
  Buffer<int32_t> start_;
};

}  // namespace

const ProductKernel i8_pairs = {
    .serves = [](const ProductTypes& types, size_t in,
                 const Machine&) { return types.integers() && in <= kMostExactDepth; },
    .make = [](ProductParts& parts) -> std::unique_ptr<Product> {
      return std::make_unique<I8Pairs>(parts);
    }};

}  // namespace fp8q::cpu::products
