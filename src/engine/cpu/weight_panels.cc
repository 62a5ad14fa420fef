#include "engine/cpu/weight_panels.h"

namespace fp8q {

WeightPanels::WeightPanels(const std::vector<float>& values, size_t in, size_t out,
                           std::optional<Format> format, bool integer_x)
    : in_(in) {
  const cpu::Pack plain{
      .b = values.data(), .row_stride = out, .column_stride = 1, .k = in, .n = out};
  if (format == Format::int8 && integer_x && in <= cpu::kMostExactDepth) {
    kind_ = Kind::i8;
    cpu::pack_i8(plain, i8_.grow(cpu::packed_size(cpu::paired(in), out)));
    return;
  }
  if (format && !info(*format).integer) {
    format_ = *format;
    if (cpu::pack_f8(format_, plain, f8_.grow(cpu::packed_size(in, out)))) {
      kind_ = Kind::f8;
      return;
    }
    f8_ = {};
  }
  cpu::pack_f32(plain, f32_.grow(cpu::packed_size(in, out)));
}

float WeightPanels::sum_scale() const { return kind_ == Kind::f8 ? cpu::f8_scale(format_) : 1.0f; }

size_t WeightPanels::row_size() const { return kind_ == Kind::i8 ? cpu::paired(in_) : in_; }

template <typename A, typename B>
cpu::Gemm<A, B> WeightPanels::gemm(const Product& p, const B* packed) const {
  return {.a = static_cast<const A*>(p.x),
          .lda = p.x_stride,
          .b = packed + p.first_column * row_size(),
          .panel_stride = row_size() * cpu::kPanel,
          .c = p.y,
          .ldc = p.y_stride,
          .scale = p.scale,
          .bias = p.bias,
          .m = p.rows,
          .n = p.columns,
          .k = in_};
}

void WeightPanels::multiply(const Product& p) const {
  switch (kind_) {
    case Kind::f32:
      return cpu::gemm_f32(gemm<float>(p, f32_.data()));
    case Kind::f8:
      return cpu::gemm_f8(format_, gemm<float>(p, f8_.data()));
    case Kind::i8:
      return cpu::gemm_i8(gemm<int16_t>(p, i8_.data()));
  }
}

}  // namespace fp8q
