#include "engine/cpu/products/packed_product.h"

#include <algorithm>
#include <utility>

#include "base/per_thread.h"

namespace fp8q::cpu::products {

PackedProduct::PackedProduct(OperandForm form, ProductParts& parts, float sum_scale)
    : Product(std::move(form)), scale_(std::move(parts.scale)), bias_(std::move(parts.bias)) {
  for (float& s : scale_) s *= sum_scale;
  const bool plain = std::all_of(scale_.begin(), scale_.end(), [](float s) { return s == 1.0f; });
  scale_.resize(panels(parts.out) * kPanel, 0.0f);
  bias_.resize(scale_.size(), 0.0f);
  if (plain) scale_.clear();
}

// A block's part of x stays in a level 2 cache of 512 KiB: 192 rows of one K block (384 floats, 768
// codes of 16 bits or 1536 of 8) are 288 KiB. Tiles of the kernels have 4 or 6 rows and up to 64
// columns.
Product::Blocks PackedProduct::blocks() const {
  return {.rows = 192,
          .few_rows = 96,
          .row_unit = 12,
          .columns = 192,
          .few_columns = 64,
          .column_unit = 64};
}

void PackedProduct::multiply(const Block& b) const {
  size_t stride = b.y_stride;
  float* y = b.y;
  if (!y) {
    static const PerThread<Buffer<float>> memory;
    stride = b.columns.size();
    y = memory.own().grow(b.rows.size() * stride);
  }
  const float* scale = scale_.empty() ? nullptr : scale_.data() + b.columns.from;
  const float* bias = bias_.data() + b.columns.from;
  const float* row_scales = form().row_scales(b.operand);
  // Scales of rows are not part of the product. They are applied after it, together with the other
  // scales.
  form_sums(
      {.x = form().is_x() ? static_cast<const void*>(b.x) : form().row(b.operand, b.rows.from),
       .x_stride = form().is_x() ? b.x_stride : form().stride(),
       .rows = b.rows.size(),
       .columns = b.columns,
       .y = y,
       .y_stride = stride,
       .scale = row_scales ? nullptr : scale,
       .bias = row_scales ? nullptr : bias});
  if (row_scales)
    finish_sums({.sum = y,
                 .integer = false,
                 .sum_stride = stride,
                 .scale = scale,
                 .bias = bias,
                 .row_scale = row_scales + b.rows.from,
                 .function = b.function,
                 .out = y,
                 .out_stride = stride,
                 .rows = b.rows.size(),
                 .columns = b.columns.size()});
  else activate({b.function, y, stride, b.rows.size(), b.columns.size()});
  if (b.feed) b.feed->take({y, stride, b.rows, b.columns});
}

}  // namespace fp8q::cpu::products
