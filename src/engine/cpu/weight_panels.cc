#include "engine/cpu/weight_panels.h"

#include "kernels/cpu/isa.h"

namespace fp8q::cpu {

WeightPanels::WeightPanels(const PlainWeight& weight, size_t in, size_t out,
                           const ProductTypes& types)
    : in_(in) {
  if (types.integers() && in <= kMostExactDepth) {
    pack_integers(weight, out);
    return;
  }
  const bool halves = types.halves() && isa() >= Isa::avx512_bf16;
  const bool keep_codes = types.w && has_f8_panels(*types.w) && !(halves && types.expand_codes);
  if (!keep_codes || !pack_codes(weight, out, halves)) pack_values(weight.decoded(), out, halves);
}

void WeightPanels::pack_integers(const PlainWeight& weight, size_t out) {
  const Pack<int8_t> plain{.b = reinterpret_cast<const int8_t*>(weight.codes.data()),
                           .row_stride = out,
                           .column_stride = 1,
                           .k = in_,
                           .n = out};
  if (isa() >= Isa::avx512_vnni) {
    kind_ = Kind::i8_fours;
    depth_ = in_fours(in_);
    pack_i8_fours(plain, i8_.grow(packed_size(depth_, out)), start_.grow(panels(out) * kPanel));
  } else {
    kind_ = Kind::i8_pairs;
    depth_ = paired(in_);
    pack_i8(plain, i8_.grow(packed_size(depth_, out)));
  }
}

// Returns false if a weight is not finite.
bool WeightPanels::pack_codes(const PlainWeight& weight, size_t out, bool halves) {
  kind_ = halves ? Kind::f8_bf16 : Kind::f8;
  format_ = weight.format;
  depth_ = paired(in_);
  const bool finite =
      pack_f8(*format_,
              {.b = weight.codes.data(), .row_stride = out, .column_stride = 1, .k = in_, .n = out},
              f8_.grow(packed_size(depth_, out)));
  if (!finite) f8_ = {};
  return finite;
}

void WeightPanels::pack_values(const std::vector<float>& values, size_t out, bool halves) {
  const Pack<float> plain{
      .b = values.data(), .row_stride = out, .column_stride = 1, .k = in_, .n = out};
  kind_ = halves ? Kind::bf16 : Kind::f32;
  depth_ = halves ? paired(in_) : in_;
  if (halves) pack_bf16(plain, bf16_.grow(packed_size(depth_, out)));
  else pack_f32(plain, f32_.grow(packed_size(depth_, out)));
}

float WeightPanels::sum_scale() const {
  return kind_ == Kind::f8 || kind_ == Kind::f8_bf16 ? f8_scale(*format_) : 1.0f;
}

WeightPanels::Element WeightPanels::x_element() const {
  switch (kind_) {
    case Kind::f32:
    case Kind::f8:
      return Element::f32;
    case Kind::bf16:
    case Kind::f8_bf16:
      return Element::bf16_pairs;
    case Kind::i8_pairs:
      return Element::i16;
    case Kind::i8_fours:
      return Element::u8;
  }
  return {};
}

size_t WeightPanels::row_size() const { return x_element() == Element::f32 ? in_ : depth_; }

template <typename A, typename B>
Gemm<A, B> WeightPanels::gemm(const Product& p, const B* packed) const {
  return {.a = static_cast<const A*>(p.x),
          .lda = p.x_stride,
          .b = packed + p.first_column * depth_,
          .panel_stride = depth_ * kPanel,
          .c = p.y,
          .ldc = p.y_stride,
          .scale = p.scale,
          .bias = p.bias,
          .m = p.rows,
          .n = p.columns,
          .k = in_,
          .start = kind_ == Kind::i8_fours ? start_.data() + p.first_column : nullptr};
}

void WeightPanels::multiply(const Product& p) const {
  switch (kind_) {
    case Kind::f32:
      return gemm_f32(gemm<float>(p, f32_.data()));
    case Kind::f8:
      return gemm_f8(*format_, gemm<float>(p, f8_.data()));
    case Kind::bf16:
      return gemm_bf16(gemm<uint16_t>(p, bf16_.data()));
    case Kind::f8_bf16:
      return gemm_f8(*format_, gemm<uint16_t>(p, f8_.data()));
    case Kind::i8_pairs:
      return gemm_i8(gemm<int16_t>(p, i8_.data()));
    case Kind::i8_fours:
      return gemm_i8(gemm<uint8_t>(p, i8_.data()));
  }
}

}  // namespace fp8q::cpu
