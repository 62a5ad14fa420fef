// Multiplies FP32 by FP32: values as they are, rounded to BF16, or of codes.
#include "engine/cpu/products/packed_product.h"
#include "engine/cpu/products/products.h"

namespace fp8q::cpu::products {
namespace {

class F32 final : public PackedProduct {
 public:
  explicit F32(ProductParts& parts)
      : PackedProduct({elements::kF32, parts.rounding(), {parts.in, parts.in}}, parts),
        types_(parts.types),
        weights_(packed_size(parts.in, parts.out)) {
    const std::vector<float> values = std::move(parts.weight).decoded();
    pack_f32(plain_rows(values.data(), parts), weights_.data());
  }

  Unit unit() const override { return Unit::fp32; }
  std::string text(const std::string& formats) const override {
    if (!formats.empty()) return formats + " as fp32 products, exact; fp32 sums";
    if (types_.x || types_.w) return "fp32 of the dequantized values";
    return types_.rounded_to_bf16 ? "fp32 of values rounded to bf16" : "fp32";
  }

 private:
  void form_sums(const Sums& sums) const override {
    gemm_f32(gemm<float>(sums, weights_.data(), form().in()));
  }

  ProductTypes types_;
  Buffer<float> weights_;
};

}  // namespace

const ProductKernel f32 = {
    .serves = [](const ProductTypes&, size_t, const Machine&) { return true; },
    .weight_bytes = 4,
    .make = [](ProductParts& parts) -> std::unique_ptr<Product> {
      return std::make_unique<F32>(parts);
    }};

}  // namespace fp8q::cpu::products
