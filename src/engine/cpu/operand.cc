#include "engine/cpu/operand.h"

#include <cstring>
#include <utility>
#include <vector>

#include "base/error.h"
#include "kernels/cpu/tiles.h"

namespace fp8q::cpu {

OperandForm::OperandForm(const Element& element, Rounding rounding, const Shape& shape)
    : element_(&element), rounding_(std::move(rounding)), shape_(shape) {}

// What no part writes is filled with zeros here: rows of the last tile, and elements beyond `in`.
void OperandForm::reserve(size_t rows, Operand& to) const {
  if (is_x()) return;
  const auto [in, stride] = shape_;
  const size_t unit = element_->in_tiles ? kTileRows : 1;
  const size_t whole = rows / unit * unit, all = (rows + unit - 1) / unit * unit;
  std::byte* values = to.values.grow(all * row_bytes());
  std::memset(values + whole * row_bytes(), 0, (all - whole) * row_bytes());
  if (in < stride) {
    // In tiles these are in the last step, in rows at the end.
    const size_t bytes = unit * (element_->in_tiles ? 64 : (stride - in) * element_->bytes);
    for (size_t r = 0; r < whole; r += unit)
      std::memset(values + (r + unit) * row_bytes() - bytes, 0, bytes);
  }
  if (takes_whole_rows()) to.row_scales.grow(rows);
}

RoundingCount OperandForm::write(const MatrixPart& part, Operand& to) const {
  FP8Q_ASSERT(part.columns.from % column_unit() == 0);
  const auto& x = rounding_.x;
  std::byte* values = to.values.data();
  if (!element_->in_tiles)
    values += part.rows.from * row_bytes() + part.columns.from * element_->bytes;
  const QuantizeRows rows{
      .format = x ? x->format : Format{},
      .scale = x ? x->scale : 1.0f,
      .x = part.x,
      .x_stride = part.stride,
      .out = values,
      .out_stride = shape_.stride,
      .rows = part.rows.size(),
      .columns = part.columns.size(),
      .factors = !x || x->factors.empty() ? nullptr : x->factors.data() + part.columns.from,
      .first_row = part.rows.from,
      .first_column = part.columns.from,
      .row_scales = takes_whole_rows() ? to.row_scales.data() + part.rows.from : nullptr};
  if (x) return element_->quantize(rows);
  element_->round(rows);
  return {};
}

RoundingCount OperandForm::write_all(const float* x, size_t stride, size_t rows,
                                     Operand& to) const {
  reserve(rows, to);
  std::vector<RoundingCount> counts(row_tasks(rows));
  parallel_rows(rows, [&](Range part) {
    counts[part.from / kRowsOfTask] =
        write({x + part.from * stride, stride, part, {0, shape_.in}}, to);
  });
  RoundingCount sum;
  for (const auto& count : counts) sum += count;
  return sum;
}

LinearFeed::LinearFeed(const OperandForm& form, size_t rows, Operand& to,
                       const ActivationSites& sites, int site)
    : form_(&form), to_(&to), sites_(&sites), site_(sites.rounding(site) ? site : -1) {
  form.reserve(rows, to);
  sites.count_values(site_, rows * form.in());
}

void LinearFeed::take(const MatrixPart& part) const {
  sites_->count(site_, form_->write(part, *to_));
}

}  // namespace fp8q::cpu
