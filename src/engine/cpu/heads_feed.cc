#include "engine/cpu/heads_feed.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/activation.h"

namespace fp8q::cpu {

HeadsFeed::HeadsFeed(const QkvOperands& operands, const HeadsLayout& layout, float* to,
                     const ActivationSites& sites, size_t first_column)
    : operands_(operands), layout_(layout), to_(to), sites_(sites), first_column_(first_column) {}

void HeadsFeed::take(const MatrixPart& part) const {
  const size_t size = layout_.head_size;
  for (size_t column = part.columns.from; column < part.columns.to;) {
    const size_t at = first_column_ + column, head = at / size, within = at % size;
    const size_t end = std::min(column + size - within, part.columns.to);
    const size_t operand = head / layout_.heads;
    take_head({part.x + (column - part.columns.from), part.stride, part.rows, {column, end}},
              operands_[operand],
              to_ + layout_.start(operand, head % layout_.heads) + part.rows.from * size + within);
    column = end;
  }
}

// Takes a part of one head.
void HeadsFeed::take_head(const MatrixPart& part, const AttentionOperand& operand,
                          float* to) const {
  const size_t size = layout_.head_size, columns = part.columns.size();
  const float* x = part.x;
  size_t stride = part.stride;
  if (operand.factor != 1.0f || !operand.quantization) {
    for (size_t r = 0; r < part.rows.size(); ++r) {
      if (operand.factor == 1.0f)
        std::memcpy(to + r * size, x + r * stride, columns * sizeof(float));
      else scale_row(x + r * stride, operand.factor, columns, to + r * size);
    }
    x = to;
    stride = size;
  }
  if (const auto& q = operand.quantization)
    sites_.count(operand.site, quantize_to_f32({.format = q->format,
                                                .scale = q->scale,
                                                .x = x,
                                                .x_stride = stride,
                                                .out = to,
                                                .out_stride = size,
                                                .rows = part.rows.size(),
                                                .columns = columns}));
}

}  // namespace fp8q::cpu
