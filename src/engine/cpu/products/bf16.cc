// Multiplies BF16 by BF16 by dot products: values rounded to BF16, or of codes.
#include "engine/cpu/products/packed_product.h"
#include "engine/cpu/products/products.h"

namespace fp8q::cpu::products {
namespace {

class Bf16 final : public PackedProduct {
 public:
  explicit Bf16(ProductParts& parts)
      : PackedProduct({elements::kBf16Pairs, parts.rounding(), {parts.in, paired(parts.in)}},
                      parts),
        weights_(packed_size(form().stride(), parts.out)) {
    const std::vector<float> values = std::move(parts.weight).decoded();
    pack_bf16(plain_rows(values.data(), parts), weights_.data());
  }

  Unit unit() const override { return Unit::bf16; }
  std::string text(const std::string& formats) const override {
    if (formats.empty()) return "bf16 dot products";
    return formats + " as bf16 dot products, exact; fp32 sums";
  }

 private:
  void form_sums(const Sums& sums) const override {
    gemm_bf16(gemm<uint16_t>(sums, weights_.data(), form().stride()));
  }

  Buffer<uint16_t> weights_;
};

}  // namespace

const ProductKernel bf16 = {
    .serves = [](const ProductTypes& types, size_t,
                 const Machine& machine) { return types.halves() && machine.bf16_dots; },
    .weight_bytes = 2,
    .make = [](ProductParts& parts) -> std::unique_ptr<Product> {
      return std::make_unique<Bf16>(parts);
    }};

}  // namespace fp8q::cpu::products
