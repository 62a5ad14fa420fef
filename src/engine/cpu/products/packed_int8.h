// Is the base of products of INT8 by INT8 whose operand stands in rows of elements T.
#pragma once

#include "engine/cpu/products/packed_product.h"
#include "engine/cpu/products/products.h"

namespace fp8q::cpu::products {

template <typename T>
class PackedInt8 : public PackedProduct {
 public:
  Unit unit() const final { return Unit::int8; }

 protected:
  // Packs codes and makes the numbers that the sums of all columns start from; see GemmI8.
  using PackCodes = void (*)(const Pack<int8_t>& codes, int8_t* packed, int32_t* start) noexcept;

  PackedInt8(const Element& element, PackCodes pack, ProductParts& parts)
      : PackedProduct({element, parts.rounding(), {parts.in, in_fours(parts.in)}}, parts),
        weights_(packed_size(form().stride(), parts.out)),
        start_(panels(parts.out) * kPanel) {
    const auto* codes = reinterpret_cast<const int8_t*>(parts.weight.codes.data());
    pack(plain_rows(codes, parts), weights_.data(), start_.data());
  }

 private:
  void form_sums(const Sums& sums) const final {
    auto product = gemm<T>(sums, weights_.data(), form().stride());
    product.start = start_.data() + sums.columns.from;
    gemm_i8(product);
  }

  Buffer<int8_t> weights_;
  Buffer<int32_t> start_;
};

}  // namespace fp8q::cpu::products
