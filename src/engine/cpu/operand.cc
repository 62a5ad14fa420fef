#include "engine/cpu/operand.h"

#include <cstring>
#include <utility>
#include <vector>

#include "base/error.h"

namespace fp8q::cpu {

OperandForm::OperandForm(Element element, std::optional<ActivationQuantization> x,
                         bool round_to_bf16, size_t in, size_t stride, size_t row_unit)
    : element_(element),
      x_(std::move(x)),
      round_to_bf16_(round_to_bf16),
      in_(in),
      stride_(stride),
      row_unit_(row_unit) {}

size_t OperandForm::size() const {
  switch (element_) {
    case Element::f32:
      return sizeof(float);
    case Element::bf16:
    case Element::bf16_pairs:
    case Element::i16:
      return sizeof(uint16_t);
    case Element::i8:
    case Element::u8:
      break;
  }
  return sizeof(int8_t);
}

void OperandForm::reserve(size_t rows, Operand& to) const {
  if (is_x()) return;
  const size_t all = (rows + row_unit_ - 1) / row_unit_ * row_unit_;
  std::byte* values = to.values.grow(all * stride_ * size());
  std::memset(values + rows * stride_ * size(), 0, (all - rows) * stride_ * size());
  if (takes_whole_rows()) to.row_scales.grow(rows);
}

RoundingCount OperandForm::write(const MatrixPart& part, Operand& to) const {
  FP8Q_ASSERT(part.columns.from % column_unit() == 0);
  std::byte* values = to.values.data() + (part.rows.from * stride_ + part.columns.from) * size();
  if (part.columns.to == in_ && in_ < stride_)
    for (size_t r = part.rows.from; r < part.rows.to; ++r)
      std::memset(to.values.data() + (r * stride_ + in_) * size(), 0, (stride_ - in_) * size());
  if (x_) return quantize(part, values, to.row_scales.data());
  round_rows(part, values);
  return {};
}

void OperandForm::round_rows(const MatrixPart& part, std::byte* to) const {
  for (size_t r = 0; r < part.rows.size(); ++r) {
    const float* x = part.x + r * part.stride;
    std::byte* row = to + r * stride_ * size();
    const size_t n = part.columns.size();
    auto* halves = reinterpret_cast<uint16_t*>(row);
    if (element_ == Element::bf16) round_to_bf16(x, n, halves);
    else if (element_ == Element::bf16_pairs) round_to_bf16_pairs(x, n, halves);
    else round_to_bf16_values(x, n, reinterpret_cast<float*>(row));
  }
}

RoundingCount OperandForm::quantize(const MatrixPart& part, std::byte* to,
                                    float* row_scales) const {
  const QuantizeRows q{
      .format = x_->format,
      .scale = x_->scale,
      .x = part.x,
      .x_stride = part.stride,
      .out = to,
      .out_stride = stride_,
      .rows = part.rows.size(),
      .columns = part.columns.size(),
      .factors = x_->factors.empty() ? nullptr : x_->factors.data() + part.columns.from,
      .row_scales = takes_whole_rows() ? row_scales + part.rows.from : nullptr};
  switch (element_) {
    case Element::f32:
      return quantize_to_f32(q);
    case Element::bf16:
      return quantize_to_bf16(q);
    case Element::bf16_pairs:
      return quantize_to_bf16_pairs(q);
    case Element::i16:
      return quantize_to_i16(q);
    case Element::u8:
      return quantize_to_u8(q);
    case Element::i8:
      break;
  }
  return quantize_to_i8(q);
}

RoundingCount OperandForm::write_all(const float* x, size_t stride, size_t rows,
                                     Operand& to) const {
  reserve(rows, to);
  std::vector<RoundingCount> counts(row_tasks(rows));
  parallel_rows(rows, [&](Range part) {
    counts[part.from / kRowsOfTask] = write({x + part.from * stride, stride, part, {0, in_}}, to);
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
