#include "engine/cpu/attention_form.h"

#include <gtest/gtest.h>

#include "engine/cpu/machine.h"
#include "kernels/cpu/isa.h"

namespace fp8q::cpu {
namespace {

AttentionOperand operand(std::optional<Format> format) {
  AttentionOperand o{0, {}, std::nullopt};
  if (format) o.quantization = ActivationQuantization{*format, 0.1f, false, {}};
  return o;
}

// Chooses for operands of one format, but for the probabilities.
AttentionForm choose(std::optional<Format> format, std::optional<Format> probabilities,
                     bool exact = true) {
  const AttentionOperand o = operand(format);
  return choose_form({o, o, o}, operand(probabilities), exact);
}

TEST(AttentionForm, DependsOnFormatsAndMachine) {
  for (size_t i = 0; i <= static_cast<size_t>(detected_isa()); ++i) {
    limit_isa(static_cast<Isa>(i));
    SCOPED_TRACE(name(isa()));
    const bool tiles = isa() == Isa::amx;
    const AttentionForm without =
        machine().bf16_dots ? AttentionForm::bf16_dots : AttentionForm::f32;
    const AttentionForm halves = tiles ? AttentionForm::bf16_tiles : without;
    EXPECT_EQ(choose({}, {}), AttentionForm::f32);
    EXPECT_EQ(choose(Format::int8, {}), AttentionForm::f32);
    EXPECT_EQ(choose({}, Format::e4m3), AttentionForm::f32);
    EXPECT_EQ(choose(Format::e4m3, Format::e4m3), halves);
    EXPECT_EQ(choose(Format::int8, Format::e5m2), halves);
    EXPECT_EQ(choose(Format::int8, Format::int8), tiles ? AttentionForm::int8_tiles : without);
    EXPECT_EQ(choose(Format::int8, Format::int8, false), without);
  }
  limit_isa(detected_isa());
}

TEST(AttentionForm, ElementsAreThoseThatKernelsRead) {
  EXPECT_EQ(element_of(AttentionForm::f32).bytes, sizeof(float));
  EXPECT_EQ(element_of(AttentionForm::bf16_dots).bytes, sizeof(float));
  EXPECT_EQ(element_of(AttentionForm::int8_tiles).bytes, sizeof(int8_t));
  EXPECT_EQ(element_of(AttentionForm::bf16_tiles).bytes, sizeof(uint16_t));
}

}  // namespace
}  // namespace fp8q::cpu
