// Multiplies BF16 by the values of FP8 codes, which are decoded a panel at a time, by dot products.
#include "engine/cpu/products/packed_product.h"
#include "engine/cpu/products/products.h"

namespace fp8q::cpu::products {
namespace {

class F8Bf16 final : public PackedProduct {
 public:
  F8Bf16(ProductParts& parts, Buffer<uint8_t> weights)
      : PackedProduct({elements::kBf16Pairs, parts.rounding(), {parts.in, paired(parts.in)}}, parts,
                      f8_scale(*parts.types.w)),
        format_(*parts.types.w),
        weights_(std::move(weights)) {}

  Unit unit() const override { return Unit::bf16; }
  std::string text(const std::string& formats) const override {
    return formats + " as bf16 dot products, exact; fp32 sums";
  }

 private:
  void form_sums(const Sums& sums) const override {
    gemm_f8(format_, gemm<uint16_t>(sums, weights_.data(), paired(form().in())));
  }

  Format format_;
  Buffer<uint8_t> weights_;
};

}  // namespace

const ProductKernel f8_bf16 = {
    .serves =
        [](const ProductTypes& types, size_t, const Machine& machine) {
          return types.halves() && types.w && has_f8_panels(*types.w) && machine.bf16_dots &&
                 !types.expand_codes;
        },
    .weight_bytes = 1,
    .make = [](ProductParts& parts) -> std::unique_ptr<Product> {
      auto weights = f8_panels(parts);
      return weights ? std::make_unique<F8Bf16>(parts, std::move(*weights)) : nullptr;
    }};

}  // namespace fp8q::cpu::products
