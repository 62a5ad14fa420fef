#include "tests/fuzz/tiny_style.h"

#include <algorithm>

namespace fp8q::test {
namespace {

// Half of the time a choice is the usual one, so that most encoders differ in few of them.
template <typename Choice>
Choice choice(ByteSource& bytes, Choice last) {
  const size_t chosen = bytes.below(2 * (static_cast<size_t>(last) + 1));
  return static_cast<Choice>(chosen > static_cast<size_t>(last) ? 0 : chosen);
}

// Operators that an opset does not have yet.
int64_t least_opset(const Style& s) {
  if (s.attention != AttentionStyle::written_out) return 23;
  if (s.quantization != QuantStyle::none || s.table == TableStyle::row_scales ||
      s.table == TableStyle::one_scale)
    return 21;
  if (s.gelu == GeluStyle::fused || s.gelu == GeluStyle::fused_tanh) return 20;
  return s.norm == NormStyle::fused ? 17 : 11;
}

}  // namespace

Style style_of(ByteSource& bytes) {
  Style s;
  s.layers = bytes.between(1, 2);
  s.heads = bytes.between(1, 3);
  s.hidden = s.heads * bytes.between(2, 9);
  s.ffn = bytes.between(1, 40);
  s.vocabulary = bytes.between(4, 40);
  s.positions = bytes.between(24, 40);
  s.types = bytes.between(1, 3);
  s.labels = bytes.between(1, 4);
  s.norm = choice(bytes, NormStyle::folded);
  s.gelu = choice(bytes, GeluStyle::clipped_wide);
  s.scale = choice(bytes, ScaleStyle::clipped);
  s.mask = choice(bytes, MaskStyle::local);
  s.embedding = choice(bytes, EmbeddingStyle::constant_row);
  s.table = choice(bytes, TableStyle::one_scale);
  s.linear = choice(bytes, LinearStyle::cast_affine_codes);
  s.head = choice(bytes, HeadStyle::temperature);
  s.quantization = choice(bytes, QuantStyle::unequal);
  s.format = bytes.one_of(kEveryFormat);
  s.merged_heads = bytes.below(8) == 1;
  s.softmax_guard = bytes.below(8) == 1;
  s.dropout = bytes.below(8) == 1;
  s.fixed_shape = bytes.below(8) == 1;
  const int64_t opset = bytes.between(11, 24);
  s.attention = choice(bytes, AttentionStyle::op_heads_aside);
  constexpr DType kTypes[] = {DType::f32, DType::f16, DType::bf16, DType::f32};
  s.type = bytes.one_of(kTypes);
  s.opset = std::max(least_opset(s), opset);
  return s;
}

}  // namespace fp8q::test
