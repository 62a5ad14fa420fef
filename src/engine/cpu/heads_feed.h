// Takes q, k and v on their way from the projections to attention: scaled, quantized if attention
// is, and sorted by heads. A head's rows of a sequence then stand side by side in memory, while in
// the rows of the projections its channels are pages apart.
#pragma once

#include <array>
#include <optional>

#include "engine/cpu/activation_sites.h"
#include "engine/cpu/operand.h"
#include "engine/weights.h"

namespace fp8q::cpu {

// Describes an operand of attention's products.
struct AttentionOperand {
  int site;
  float factor;  // multiplies the projection before anything else
  std::optional<ActivationQuantization> quantization;
  float scale() const { return quantization ? quantization->scale : 1.0f; }
};
using QkvOperands = std::array<AttentionOperand, 3>;

// Says where head `head` of q (0), k (1) or v (2) stands: [tokens, head_size], dense. Everything
// takes 3 * heads * tokens * head_size floats.
struct HeadsLayout {
  size_t heads, head_size, tokens;
  size_t hidden() const { return heads * head_size; }
  size_t start(size_t operand, size_t head) const {
    return (operand * heads + head) * tokens * head_size;
  }
};

class HeadsFeed final : public RowSink {
 public:
  // The parts' column 0 is column `first_column` of q k v side by side.
  HeadsFeed(const QkvOperands& operands, const HeadsLayout& layout, float* to,
            const ActivationSites& sites, size_t first_column);
  void take(const MatrixPart& part) const override;

 private:
  void take_head(const MatrixPart& part, const AttentionOperand& operand, float* to) const;

  const QkvOperands& operands_;
  HeadsLayout layout_;
  float* to_;
  const ActivationSites& sites_;
  size_t first_column_;
};

}  // namespace fp8q::cpu
