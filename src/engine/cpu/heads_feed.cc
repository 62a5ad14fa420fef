#include "engine/cpu/heads_feed.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/activation.h"

namespace fp8q::cpu {

HeadsFeed::HeadsFeed(const QkvOperands& operands, const HeadsLayout& layout, void* to,
                     const ActivationSites& sites, size_t first_column)
    : operands_(operands),
      layout_(layout),
      to_(static_cast<std::byte*>(to)),
      sites_(sites),
      first_column_(first_column) {}

void HeadsFeed::take(const MatrixPart& part) const {
  const size_t size = layout_.head_size;
  for (size_t column = part.columns.from; column < part.columns.to;) {
    const size_t at = first_column_ + column, head = at / size, within = at % size;
    const size_t end = std::min(column + size - within, part.columns.to);
    const size_t operand = head / layout_.heads;
    take_head({part.x + (column - part.columns.from), part.stride, part.rows, {column, end}},
              operands_[operand],
              to_ + layout_.row(operand, head % layout_.heads, part.rows.from) +
                  within * layout_.element->bytes);
    column = end;
  }
}

// Takes a part of one head. What is not quantized stays FP32.
void HeadsFeed::take_head(const MatrixPart& part, const AttentionOperand& operand,
                          std::byte* to) const {
  const size_t size = layout_.head_size, columns = part.columns.size();
  if (const auto& q = operand.quantization) {
    const QuantizeRows rows{.format = q->format,
                            .scale = q->scale,
                            .x = part.x,
                            .x_stride = part.stride,
                            .out = to,
                            .out_stride = size,
                            .rows = part.rows.size(),
                            .columns = columns,
                            .factors = operand.factors.empty() ? nullptr : operand.factors.data()};
    return sites_.count(operand.site, layout_.element->quantize(rows));
  }
  auto* out = reinterpret_cast<float*>(to);
  for (size_t r = 0; r < part.rows.size(); ++r) {
    const float* x = part.x + r * part.stride;
    if (operand.factors.empty()) std::memcpy(out + r * size, x, columns * sizeof(float));
    else scale_row(x, operand.factors[0], columns, out + r * size);
  }
}

}  // namespace fp8q::cpu
