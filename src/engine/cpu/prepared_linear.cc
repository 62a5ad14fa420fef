#include "engine/cpu/prepared_linear.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/cpu/codec.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/isa.h"

namespace fp8q {
namespace {

// A task is a block of this many rows, whose part of x stays in the level 2 cache (96 rows of one K
// block are 144 KiB in either kernel), and columns; fewer columns where there would be too little
// work to share.
constexpr size_t kBlockRows = 96;
constexpr size_t kTileRows = 6;  // blocks hold whole tiles of the product kernel
constexpr size_t kBlockColumns = 192, kNarrowBlockColumns = 64;
constexpr size_t kTasksPerThread = 3;

// oneDNN's products are of at most this many columns, on multiples of 64, so that few rows still
// make work for several threads and a call's overhead does not count.
constexpr size_t kDnnlColumns = 256, kDnnlUnit = 64;

using Range = PreparedLinear::Range;

// Part i of [0, total) divided evenly into `parts`, on multiples of `unit`.
Range part_of(size_t total, size_t parts, size_t i, size_t unit) {
  const size_t units = (total + unit - 1) / unit;
  return {std::min(i * units / parts * unit, total),
          std::min((i + 1) * units / parts * unit, total)};
}

cpu::RoundingCount sum_of(const std::vector<cpu::RoundingCount>& parts) {
  cpu::RoundingCount sum;
  for (const auto& part : parts) sum += part;
  return sum;
}

}  // namespace

// x as the kernel takes it: rows of FP32, or of INT8 codes as int16_t.
struct PreparedLinear::Operand {
  const void* x;
  size_t stride;
  cpu::RoundingCount count = {};
};

struct PreparedLinear::Block {
  const Operand& operand;
  const float* row_scales;  // of all rows; nullptr: none
  Range rows, columns;
  cpu::Function function;
  float* y;
  size_t y_stride;
};

PreparedLinear::PreparedLinear(const std::vector<const Linear*>& linears,
                               const std::vector<Site>& sites, ComputeType compute) {
  in_ = static_cast<size_t>(linears.front()->in);
  for (const Linear* l : linears) out_ += static_cast<size_t>(l->out);
  x_ = activation_quantization(sites, linears.front()->input_site);
  scale_.assign(cpu::panels(out_) * cpu::kPanel, 0.0f);
  bias_ = scale_;

  std::vector<float> values(in_ * out_);
  size_t column = 0;
  for (const Linear* l : linears) {
    append(*l, plain_weight(*l, sites), column, values);
    column += static_cast<size_t>(l->out);
  }
  round_to_bf16_ = compute == ComputeType::bf16 && !x_ && !w_;
  if (round_to_bf16_) cpu::round_to_bf16_values(values.data(), values.size(), values.data());
  if (!prepare_dnnl(values)) {
    panels_ = WeightPanels(values, in_, out_, w_, x_ && x_->format == Format::int8);
    for (float& s : scale_) s *= panels_.sum_scale();
  }
  if (std::all_of(scale_.begin(), scale_.begin() + static_cast<ptrdiff_t>(out_),
                  [](float s) { return s == 1.0f; }))
    scale_.clear();
}

void PreparedLinear::append(const Linear& linear, PlainWeight plain, size_t column,
                            std::vector<float>& values) {
  const auto n = static_cast<size_t>(linear.out);
  for (size_t k = 0; k < in_; ++k)
    std::memcpy(&values[k * out_ + column], &plain.values[k * n], n * sizeof(float));
  const float x_scale = x_ ? x_->scale : 1.0f;
  for (size_t i = 0; i < n; ++i) scale_[column + i] = x_scale * plain.scales[i];
  if (linear.bias) {
    const auto bias = to_floats(*linear.bias);
    if (bias.size() != n)
      fail(ErrorCode::bad_model, "a linear layer of width {} has a bias of {} elements", n,
           bias.size());
    std::copy(bias.begin(), bias.end(), bias_.begin() + static_cast<ptrdiff_t>(column));
  }
  // A layer whose scale had to be multiplied in makes all of them count as not quantised.
  w_ = column == 0 || w_ == plain.format ? plain.format : std::nullopt;
}

bool PreparedLinear::integers() const {
  return x_ && w_ && x_->format == Format::int8 && *w_ == Format::int8;
}

bool PreparedLinear::prepare_dnnl(const std::vector<float>& values) {
  if (!(x_ && w_) && !round_to_bf16_) return false;
  if (cpu::isa() < (integers() ? cpu::Isa::avx512_vnni : cpu::Isa::avx512_bf16)) return false;
  dot_ = integers() ? cpu::DotType::int8 : cpu::DotType::bf16;
  dnnl_.resize((out_ + kDnnlColumns - 1) / kDnnlColumns);
  parallel_for(dnnl_.size(), [&](size_t i) { dnnl_[i] = make_dnnl(values, i); });
  dnnl_refused_ = std::any_of(dnnl_.begin(), dnnl_.end(), [](const auto& d) { return !d; });
  if (dnnl_refused_) dnnl_.clear();
  return !dnnl_refused_;
}

// The columns of block i, packed by oneDNN; nullptr where it refuses.
std::unique_ptr<cpu::DnnlMatmul> PreparedLinear::make_dnnl(const std::vector<float>& values,
                                                           size_t i) const {
  const Range columns = part_of(out_, dnnl_.size(), i, kDnnlUnit);
  std::vector<int8_t> int8;
  std::vector<uint16_t> bf16;
  if (dot_ == cpu::DotType::int8) int8.resize(in_ * columns.size());
  else bf16.resize(in_ * columns.size());
  for (size_t k = 0; k < in_; ++k) {
    const float* from = values.data() + k * out_ + columns.from;
    if (dot_ == cpu::DotType::int8)
      std::transform(from, from + columns.size(), int8.data() + k * columns.size(),
                     [](float v) { return static_cast<int8_t>(v); });
    else cpu::round_to_bf16(from, columns.size(), bf16.data() + k * columns.size());  // exact
  }
  const void* plain = int8.data();
  if (dot_ == cpu::DotType::bf16) plain = bf16.data();
  return cpu::DnnlMatmul::create(dot_, in_, columns.size(), plain);
}

cpu::RoundingCount PreparedLinear::run(const Run& args, LinearScratch& scratch) const {
  if (args.rows == 0) return {};
  return dnnl_.empty() ? run_own(args, scratch) : run_dnnl(args, scratch);
}

float* PreparedLinear::row_scales(const Run& args, LinearScratch& scratch) const {
  return x_ && x_->per_token ? scratch.row_scales.grow(args.rows) : nullptr;
}

// Quantising some rows of x; where to is left to the caller.
cpu::QuantizeRows PreparedLinear::quantize(const Run& args, const Range& rows,
                                           float* row_scales) const {
  return {.format = x_->format,
          .scale = x_->scale,
          .x = args.x + rows.from * args.x_stride,
          .x_stride = args.x_stride,
          .out = nullptr,
          .out_stride = 0,
          .rows = rows.size(),
          .columns = in_,
          .factors = factors(),
          .row_scales = row_scales ? row_scales + rows.from : nullptr};
}

// x itself, or the values of its codes, or x rounded to BF16.
PreparedLinear::Operand PreparedLinear::f32_operand(const Run& args, float* row_scales,
                                                    LinearScratch& scratch) const {
  if (!x_ && !round_to_bf16_) return {args.x, args.x_stride};
  auto* operand = reinterpret_cast<float*>(scratch.operand.grow(args.rows * in_ * sizeof(float)));
  const size_t parts = (args.rows + 31) / 32;
  std::vector<cpu::RoundingCount> counts(parts);
  parallel_for(parts, [&](size_t i) {
    const Range r = part_of(args.rows, parts, i, 1);
    if (x_) {
      cpu::QuantizeRows q = quantize(args, r, row_scales);
      q.out = operand + r.from * in_;
      q.out_stride = in_;
      counts[i] = cpu::quantize_to_f32(q);
    } else {
      for (size_t row = r.from; row < r.to; ++row)
        cpu::round_to_bf16_values(args.x + row * args.x_stride, in_, operand + row * in_);
    }
  });
  return {operand, in_, sum_of(counts)};
}

// The codes of x, an odd width filled up with a zero.
PreparedLinear::Operand PreparedLinear::i8_operand(const Run& args, float* row_scales,
                                                   LinearScratch& scratch) const {
  const size_t stride = panels_.row_size();
  auto* operand =
      reinterpret_cast<int16_t*>(scratch.operand.grow(args.rows * stride * sizeof(int16_t)));
  const size_t parts = (args.rows + 31) / 32;
  std::vector<cpu::RoundingCount> counts(parts);
  parallel_for(parts, [&](size_t i) {
    const Range r = part_of(args.rows, parts, i, 1);
    cpu::QuantizeRows q = quantize(args, r, row_scales);
    q.out = operand + r.from * stride;
    q.out_stride = stride;
    counts[i] = cpu::quantize_to_i16(q);
    if (in_ < stride)
      for (size_t row = r.from; row < r.to; ++row) operand[row * stride + in_] = 0;
  });
  return {operand, stride, sum_of(counts)};
}

cpu::RoundingCount PreparedLinear::run_own(const Run& args, LinearScratch& scratch) const {
  float* scales_of_rows = row_scales(args, scratch);
  const Operand operand = own_integers() ? i8_operand(args, scales_of_rows, scratch)
                                         : f32_operand(args, scales_of_rows, scratch);
  const size_t row_parts = (args.rows + kBlockRows - 1) / kBlockRows;
  size_t column_parts = (out_ + kBlockColumns - 1) / kBlockColumns;
  if (row_parts * column_parts < kTasksPerThread * static_cast<size_t>(threads()))
    column_parts = (out_ + kNarrowBlockColumns - 1) / kNarrowBlockColumns;
  parallel_for(row_parts * column_parts, [&](size_t task) {
    run_block({.operand = operand,
               .row_scales = scales_of_rows,
               .rows = part_of(args.rows, row_parts, task / column_parts, kTileRows),
               .columns = part_of(out_, column_parts, task % column_parts, kNarrowBlockColumns),
               .function = args.function,
               .y = args.y,
               .y_stride = args.y_stride});
  });
  return operand.count;
}

// Scales of rows are no part of the product: they follow it, and the others with them.
void PreparedLinear::run_block(const Block& b) const {
  const float* scale = scale_.empty() ? nullptr : scale_.data() + b.columns.from;
  const float* bias = bias_.data() + b.columns.from;
  float* y = b.y + b.rows.from * b.y_stride + b.columns.from;
  const size_t element = own_integers() ? sizeof(int16_t) : sizeof(float);
  WeightPanels::Product product{
      .x = static_cast<const std::byte*>(b.operand.x) + b.rows.from * b.operand.stride * element,
      .x_stride = b.operand.stride,
      .rows = b.rows.size(),
      .first_column = b.columns.from,
      .columns = b.columns.size(),
      .y = y,
      .y_stride = b.y_stride,
      .scale = nullptr,
      .bias = nullptr};
  if (!b.row_scales) {
    product.scale = scale;
    product.bias = bias;
    panels_.multiply(product);
    cpu::activate({b.function, y, b.y_stride, b.rows.size(), b.columns.size()});
    return;
  }
  panels_.multiply(product);
  cpu::finish_sums({.sum = y,
                    .integer = false,
                    .sum_stride = b.y_stride,
                    .scale = scale,
                    .bias = bias,
                    .row_scale = b.row_scales + b.rows.from,
                    .function = b.function,
                    .out = y,
                    .out_stride = b.y_stride,
                    .rows = b.rows.size(),
                    .columns = b.columns.size()});
}

cpu::RoundingCount PreparedLinear::run_dnnl(const Run& args, LinearScratch& scratch) const {
  constexpr size_t kRows = cpu::DnnlMatmul::kRows;
  const size_t row_parts = (args.rows + kRows - 1) / kRows;
  const size_t part_size = kRows * in_ * (dot_ == cpu::DotType::int8 ? 1 : 2);
  std::byte* operand = scratch.operand.grow(row_parts * part_size);
  const auto rows_of = [&](size_t part) {
    return Range{part * kRows, std::min((part + 1) * kRows, args.rows)};
  };
  float* scales_of_rows = row_scales(args, scratch);
  std::vector<cpu::RoundingCount> counts(row_parts);
  parallel_for(row_parts, [&](size_t i) {
    counts[i] = dnnl_operand(args, rows_of(i), operand + i * part_size, scales_of_rows);
  });
  parallel_for(row_parts * dnnl_.size(), [&](size_t task) {
    const size_t i = task / dnnl_.size(), column_part = task % dnnl_.size();
    const Range rows = rows_of(i);
    const Range columns = part_of(out_, dnnl_.size(), column_part, kDnnlUnit);
    thread_local Buffer<float> memory;  // int32_t has the same size
    float* sums = memory.grow(kRows * columns.size());
    const cpu::DnnlMatmul& product = *dnnl_[column_part];
    if (!product.run(operand + i * part_size, sums))
      fail(ErrorCode::device, "oneDNN could not execute {}; set FP8Q_ISA=avx512 to do without it",
           product.implementation());
    cpu::finish_sums({.sum = sums,
                      .integer = dot_ == cpu::DotType::int8,
                      .sum_stride = columns.size(),
                      .scale = scale_.empty() ? nullptr : scale_.data() + columns.from,
                      .bias = bias_.data() + columns.from,
                      .row_scale = scales_of_rows ? scales_of_rows + rows.from : nullptr,
                      .function = args.function,
                      .out = args.y + rows.from * args.y_stride + columns.from,
                      .out_stride = args.y_stride,
                      .rows = rows.size(),
                      .columns = columns.size()});
  });
  return sum_of(counts);
}

// The rows as oneDNN takes them, filled up with zeros.
cpu::RoundingCount PreparedLinear::dnnl_operand(const Run& args, const Range& rows, std::byte* to,
                                                float* row_scales) const {
  const bool int8 = dot_ == cpu::DotType::int8;
  const size_t row_size = in_ * (int8 ? 1 : 2);
  const float* x = args.x + rows.from * args.x_stride;
  std::memset(to + rows.size() * row_size, 0, (cpu::DnnlMatmul::kRows - rows.size()) * row_size);
  if (!x_) {
    for (size_t row = 0; row < rows.size(); ++row)
      cpu::round_to_bf16(x + row * args.x_stride, in_, reinterpret_cast<uint16_t*>(to) + row * in_);
    return {};
  }
  cpu::QuantizeRows q = quantize(args, rows, row_scales);
  q.out = to;
  q.out_stride = in_;
  return int8 ? cpu::quantize_to_i8(q) : cpu::quantize_to_bf16(q);
}

cpu::Unit PreparedLinear::unit() const {
  if (dnnl_.empty()) return own_integers() ? cpu::Unit::int8 : cpu::Unit::fp32;
  return dot_ == cpu::DotType::int8 ? cpu::Unit::int8 : cpu::Unit::bf16;
}

std::string PreparedLinear::effective() const {
  std::string name;
  const std::string tokens = x_ && x_->per_token ? " per token" : "";
  if (x_ && w_) {
    name = std::string(info(x_->format).name) + tokens;
    if (*w_ != x_->format) name += " x " + std::string(info(*w_).name);
  }
  if (!dnnl_.empty()) {
    const std::string by = " (oneDNN " + dnnl_.front()->implementation() + ")";
    if (integers()) return "int8" + tokens + " dot products, exact int32 sums" + by;
    return x_ ? name + " as bf16 dot products, fp32 sums" + by : "bf16 dot products" + by;
  }
  const std::string reason = dnnl_refused_ ? " (oneDNN has no kernel)" : "";
  if (own_integers()) return "int8" + tokens + " as int16 products, exact int32 sums" + reason;
  if (!name.empty()) return name + " as fp32 products, exact; fp32 sums" + reason;
  if (x_ || w_) return "fp32 of the dequantised values";
  return round_to_bf16_ ? "fp32 of values rounded to bf16" + reason : "fp32";
}

}  // namespace fp8q
