// Takes q, k and v on their way from the projections to attention: scaled, quantized if attention
// is, in the element that its products take, and sorted by heads. A head's rows of a sequence then
// stand side by side in memory, while in the rows of the projections its channels are pages apart.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "engine/cpu/activation_sites.h"
#include "engine/cpu/element.h"
#include "engine/cpu/operand.h"
#include "engine/weights.h"

namespace fp8q::cpu {

// Describes an operand of attention's products.
struct AttentionOperand {
  int site;
  // Multiply the projection before anything else: one and the same for each channel of a head.
  std::vector<float> factors;  // empty: none
  std::optional<ActivationQuantization> quantization;
  float scale() const { return quantization ? quantization->scale : 1.0f; }
};
using QkvOperands = std::array<AttentionOperand, 3>;

// Says where the heads of q (0), k (1) and v (2) stand: [tokens, head_size] each, dense. Everything
// takes 3 * heads * tokens * head_size elements.
struct HeadsLayout {
  size_t heads, head_size, tokens;
  const Element* element;
  // Returns where the row of a token begins, in bytes.
  size_t row(size_t operand, size_t head, size_t token) const {
    return ((operand * heads + head) * tokens + token) * head_size * element->bytes;
  }
};

class HeadsFeed final : public RowSink {
 public:
  // The parts' column 0 is column `first_column` of q k v side by side.
  HeadsFeed(const QkvOperands& operands, const HeadsLayout& layout, void* to,
            const ActivationSites& sites, size_t first_column);
  void take(const MatrixPart& part) const override;

 private:
  void take_head(const MatrixPart& part, const AttentionOperand& operand, std::byte* to) const;

  const QkvOperands& operands_;
  HeadsLayout layout_;
  std::byte* to_;
  const ActivationSites& sites_;
  size_t first_column_;
};

}  // namespace fp8q::cpu
