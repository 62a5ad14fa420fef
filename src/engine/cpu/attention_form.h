// Chooses how attention forms its products (kernels/cpu/attention.h), and says what that means.
#pragma once

#include <string_view>

#include "engine/cpu/element.h"
#include "engine/cpu/heads_feed.h"
#include "kernels/cpu/attention.h"
#include "kernels/cpu/roof.h"

namespace fp8q::cpu {

// Returns the best form for these operands on this machine. `exact` says that FP32 sums of INT8
// codes are exact. Tiles of INT8, which are exact anyway, are taken only then, so that they give
// the same bits as other CPUs.
AttentionForm choose_form(const QkvOperands& qkv, const AttentionOperand& probabilities,
                          bool exact);

// Returns the element of the form's q, k and v.
const Element& element_of(AttentionForm form);
Unit unit_of(AttentionForm form);
// Follows the names of the formats in KernelChoice::effective.
std::string_view products_text(AttentionForm form);

}  // namespace fp8q::cpu
