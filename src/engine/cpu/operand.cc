#include "engine/cpu/operand.h"

#include <cstring>
#include <utility>
#include <vector>

#include "base/error.h"

namespace fp8q::cpu {

OperandForm::OperandForm(const Element& element, Rounding rounding, const Shape& shape)
    : element_(&element), rounding_(std::move(rounding)), shape_(shape) {}

void OperandForm::reserve(size_t rows, Operand& to) const {
  if (is_x()) return;
  const size_t all = (rows + shape_.row_unit - 1) / shape_.row_unit * shape_.row_unit;
  std::byte* values = to.values.grow(all * row_bytes());
  std::memset(values + rows * row_bytes(), 0, (all - rows) * row_bytes());
  if (takes_whole_rows()) to.row_scales.grow(rows);
}

RoundingCount OperandForm::write(const MatrixPart& part, Operand& to) const {
  FP8Q_ASSERT(part.columns.from % column_unit() == 0);
  const auto [in, stride, row_unit] = shape_;
  const auto at = [&](size_t row, size_t column) {
    return to.values.data() + (row * stride + column) * element_->bytes;
  };
  if (part.columns.to == in && in < stride)
    for (size_t r = part.rows.from; r < part.rows.to; ++r)
      std::memset(at(r, in), 0, (stride - in) * element_->bytes);
  std::byte* values = at(part.rows.from, part.columns.from);
  if (rounding_.x) return quantize(part, values, to.row_scales.data());
  for (size_t r = 0; r < part.rows.size(); ++r)
    element_->round(part.x + r * part.stride, part.columns.size(), values + r * row_bytes());
  return {};
}

RoundingCount OperandForm::quantize(const MatrixPart& part, std::byte* to,
                                    float* row_scales) const {
  const ActivationQuantization& x = *rounding_.x;
  return element_->quantize(
      {.format = x.format,
       .scale = x.scale,
       .x = part.x,
       .x_stride = part.stride,
       .out = to,
       .out_stride = shape_.stride,
       .rows = part.rows.size(),
       .columns = part.columns.size(),
       .factors = x.factors.empty() ? nullptr : x.factors.data() + part.columns.from,
       .row_scales = takes_whole_rows() ? row_scales + part.rows.from : nullptr});
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
