#include "engine/cpu/attention_form.h"

#include "base/error.h"
#include "engine/cpu/machine.h"

namespace fp8q::cpu {

AttentionForm choose_form(const QkvOperands& qkv, const AttentionOperand& probabilities,
                          bool exact) {
  size_t quantized = 0, integers = 0;
  for (const AttentionOperand* o : {&qkv[0], &qkv[1], &qkv[2], &probabilities}) {
    quantized += o->quantization.has_value();
    integers += o->quantization && info(o->quantization->format).integer;
  }
  if (quantized < 4) return AttentionForm::f32;
  const Machine here = machine();
  if (here.isa >= Isa::amx && integers < 4) return AttentionForm::bf16_tiles;
  if (here.isa >= Isa::amx && exact) return AttentionForm::int8_tiles;
  return here.bf16_dots ? AttentionForm::bf16_dots : AttentionForm::f32;
}

const Element& element_of(AttentionForm form) {
  if (form == AttentionForm::int8_tiles) return elements::kI8;
  if (form == AttentionForm::bf16_tiles) return elements::kBf16;
  return elements::kF32;
}

Unit unit_of(AttentionForm form) {
  switch (form) {
    case AttentionForm::f32:
      return Unit::fp32;
    case AttentionForm::bf16_dots:
      return Unit::bf16;
    case AttentionForm::int8_tiles:
      return Unit::int8_tiles;
    case AttentionForm::bf16_tiles:
      return Unit::bf16_tiles;
  }
  FP8Q_ASSERT(!"form without a unit");
}

std::string_view products_text(AttentionForm form) {
  switch (form) {
    case AttentionForm::f32:
      return "as fp32 products";
    case AttentionForm::bf16_dots:
      return "as bf16 dot products";
    case AttentionForm::int8_tiles:
      return "dot products by AMX tiles";
    case AttentionForm::bf16_tiles:
      return "as bf16 dot products by AMX tiles";
  }
  FP8Q_ASSERT(!"form without a text");
}

}  // namespace fp8q::cpu
