#include "engine/cpu/attention_form.h"

#include "engine/cpu/machine.h"

namespace fp8q::cpu {
namespace {

struct Row {
  const Element* element;
  Unit unit;
  std::string_view products;
};
// The rows are indexed by AttentionForm.
constexpr Row kRows[] = {
    {&elements::kF32, Unit::fp32, "as fp32 products"},
    {&elements::kF32, Unit::bf16, "as bf16 dot products"},
    {&elements::kI8, Unit::int8_tiles, "dot products by AMX tiles"},
    {&elements::kBf16, Unit::bf16_tiles, "as bf16 dot products by AMX tiles"},
};

const Row& row_of(AttentionForm form) { return kRows[static_cast<size_t>(form)]; }

}  // namespace

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

const Element& element_of(AttentionForm form) { return *row_of(form).element; }
Unit unit_of(AttentionForm form) { return row_of(form).unit; }
std::string_view products_text(AttentionForm form) { return row_of(form).products; }

}  // namespace fp8q::cpu
