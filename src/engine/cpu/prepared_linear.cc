#include "engine/cpu/prepared_linear.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/cpu/codec.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/isa.h"

namespace fp8q::cpu {
namespace {

// A task is a block of this many rows and columns. Its part of x stays in a level 2 cache of 512
// KiB: 192 rows of one K block (384 floats, 768 codes of 16 bits or 1536 of 8) are 288 KiB. If
// there is too little work to share, blocks have fewer columns, then fewer rows.
constexpr size_t kBlockRows = 192, kLowBlockRows = 96;
constexpr size_t kTileRows = 6;  // blocks hold whole tiles of the product kernel
constexpr size_t kBlockColumns = 192, kNarrowBlockColumns = 64;
constexpr size_t kTasksPerThread = 3;

// A product by oneDNN has at most this many columns, in multiples of 64. Few rows still make work
// for several threads then, and the overhead of a call does not count.
constexpr size_t kDnnlColumns = 256, kDnnlUnit = 64;

// Returns part i of [0, total) divided evenly into `parts`, in multiples of `unit`.
Range part_of(size_t total, size_t parts, size_t i, size_t unit) {
  const size_t units = (total + unit - 1) / unit;
  return {std::min(i * units / parts * unit, total),
          std::min((i + 1) * units / parts * unit, total)};
}

}  // namespace

// Describes a part of a product.
struct PreparedLinear::Block {
  const Run& run;
  const Operand& operand;
  Range rows, columns;

  // Returns where the part of y is made. It is made where the caller wants it, or in memory of this
  // thread if only a feed needs it.
  float* y(size_t& stride) const {
    stride = run.y ? run.y_stride : columns.size();
    if (run.y) return run.y + rows.from * stride + columns.from;
    thread_local Buffer<float> memory;
    return memory.grow(rows.size() * stride);
  }
  void finish(const float* y, size_t stride) const {
    if (run.feed) run.feed->take({y, stride, rows, columns});
  }
};

PreparedLinear::PreparedLinear(const std::vector<const Linear*>& linears,
                               const std::vector<Site>& sites, ComputeType compute,
                               bool expand_codes)
    : expand_codes_(expand_codes) {
  in_ = static_cast<size_t>(linears.front()->in);
  for (const Linear* l : linears) out_ += static_cast<size_t>(l->out);
  x_ = activation_quantization(sites, linears.front()->input_site);
  auto [weight, bias] = join(linears, sites);
  w_ = weight.format;
  bias_ = std::move(bias);
  for (const float s : weight.scales) scale_.push_back((x_ ? x_->scale : 1.0f) * s);
  scale_.resize(panels(out_) * kPanel, 0.0f);
  bias_.resize(scale_.size(), 0.0f);
  round_to_bf16_ = compute == ComputeType::bf16 && !x_ && !w_;
  if (round_to_bf16_)
    round_to_bf16_values(weight.values.data(), weight.values.size(), weight.values.data());
  if (!prepare_dnnl(weight)) {
    panels_ = WeightPanels(weight, in_, out_, types());
    for (float& s : scale_) s *= panels_.sum_scale();
  }
  if (std::all_of(scale_.begin(), scale_.begin() + static_cast<ptrdiff_t>(out_),
                  [](float s) { return s == 1.0f; }))
    scale_.clear();
  form_ = make_form();
}

ProductTypes PreparedLinear::types() const {
  return {x_ ? std::optional(x_->format) : std::nullopt, w_, round_to_bf16_, expand_codes_};
}

bool PreparedLinear::prepare_dnnl(const PlainWeight& weight) {
  if (isa() < Isa::amx || !(types().integers() || types().halves())) return false;
  dot_ = types().integers() ? DotType::int8 : DotType::bf16;
  const std::vector<float> values = weight.decoded();
  dnnl_.resize((out_ + kDnnlColumns - 1) / kDnnlColumns);
  parallel_for(dnnl_.size(), [&](size_t i) { dnnl_[i] = make_dnnl(values, i); });
  dnnl_refused_ = std::any_of(dnnl_.begin(), dnnl_.end(), [](const auto& d) { return !d; });
  if (dnnl_refused_) dnnl_.clear();
  return !dnnl_refused_;
}

// Returns the columns of block i, packed by oneDNN, or nullptr if oneDNN refuses.
std::unique_ptr<DnnlMatmul> PreparedLinear::make_dnnl(const std::vector<float>& values,
                                                      size_t i) const {
  const Range columns = part_of(out_, dnnl_.size(), i, kDnnlUnit);
  std::vector<int8_t> int8;
  std::vector<uint16_t> bf16;
  if (dot_ == DotType::int8) int8.resize(in_ * columns.size());
  else bf16.resize(in_ * columns.size());
  for (size_t k = 0; k < in_; ++k) {
    const float* from = values.data() + k * out_ + columns.from;
    if (dot_ == DotType::int8)
      std::transform(from, from + columns.size(), int8.data() + k * columns.size(),
                     [](float v) { return static_cast<int8_t>(v); });
    else round_to_bf16(from, columns.size(), bf16.data() + k * columns.size());  // exact
  }
  const void* plain = int8.data();
  if (dot_ == DotType::bf16) plain = bf16.data();
  return DnnlMatmul::create(dot_, in_, columns.size(), plain);
}

OperandForm PreparedLinear::make_form() const {
  using Element = OperandForm::Element;
  if (!dnnl_.empty())
    return {dot_ == DotType::int8 ? Element::i8 : Element::bf16,
            x_,
            round_to_bf16_,
            in_,
            in_,
            DnnlMatmul::kRows};
  return {panels_.x_element(), x_, round_to_bf16_, in_, panels_.row_size(), 1};
}

void PreparedLinear::run(const Run& args, const Operand& operand) const {
  if (args.rows == 0) return;
  if (dnnl_.empty()) run_own(args, operand);
  else run_dnnl(args, operand);
}

void PreparedLinear::run_own(const Run& args, const Operand& operand) const {
  const auto parts = [](size_t total, size_t each) { return (total + each - 1) / each; };
  size_t row_parts = parts(args.rows, kBlockRows), column_parts = parts(out_, kBlockColumns);
  const auto too_few = [&] {
    return row_parts * column_parts < kTasksPerThread * static_cast<size_t>(threads());
  };
  if (too_few()) column_parts = parts(out_, kNarrowBlockColumns);
  if (too_few()) row_parts = parts(args.rows, kLowBlockRows);
  parallel_for(row_parts * column_parts, [&](size_t task) {
    run_block({.run = args,
               .operand = operand,
               .rows = part_of(args.rows, row_parts, task / column_parts, kTileRows),
               .columns = part_of(out_, column_parts, task % column_parts, kNarrowBlockColumns)});
  });
}

void PreparedLinear::run_block(const Block& b) const {
  size_t stride;
  float* y = b.y(stride);
  const float* scale = scale_.empty() ? nullptr : scale_.data() + b.columns.from;
  const float* bias = bias_.data() + b.columns.from;
  const float* row_scales = form_.row_scales(b.operand);
  const void* x = form_.is_x() ? static_cast<const void*>(b.run.x + b.rows.from * b.run.x_stride)
                               : form_.row(b.operand, b.rows.from);
  // Scales of rows are not part of the product. They are applied after it, together with the other
  // scales.
  panels_.multiply({.x = x,
                    .x_stride = form_.is_x() ? b.run.x_stride : form_.stride(),
                    .rows = b.rows.size(),
                    .first_column = b.columns.from,
                    .columns = b.columns.size(),
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
                 .function = b.run.function,
                 .out = y,
                 .out_stride = stride,
                 .rows = b.rows.size(),
                 .columns = b.columns.size()});
  else activate({b.run.function, y, stride, b.rows.size(), b.columns.size()});
  b.finish(y, stride);
}

void PreparedLinear::run_dnnl(const Run& args, const Operand& operand) const {
  constexpr size_t kRows = DnnlMatmul::kRows;
  const size_t row_parts = (args.rows + kRows - 1) / kRows;
  parallel_for(row_parts * dnnl_.size(), [&](size_t task) {
    const size_t from = task / dnnl_.size() * kRows, i = task % dnnl_.size();
    run_dnnl_block({.run = args,
                    .operand = operand,
                    .rows = {from, std::min(from + kRows, args.rows)},
                    .columns = part_of(out_, dnnl_.size(), i, kDnnlUnit)},
                   i);
  });
}

void PreparedLinear::run_dnnl_block(const Block& b, size_t i) const {
  thread_local Buffer<float> memory;  // also holds int32_t, which has the same size
  float* sums = memory.grow(DnnlMatmul::kRows * b.columns.size());
  if (!dnnl_[i]->run(form_.row(b.operand, b.rows.from), sums))
    fail(ErrorCode::device,
         "oneDNN could not execute {}; set FP8Q_ISA=avx512-bf16 to do without it",
         dnnl_[i]->implementation());
  size_t stride;
  float* y = b.y(stride);
  const float* row_scales = form_.row_scales(b.operand);
  finish_sums({.sum = sums,
               .integer = dot_ == DotType::int8,
               .sum_stride = b.columns.size(),
               .scale = scale_.empty() ? nullptr : scale_.data() + b.columns.from,
               .bias = bias_.data() + b.columns.from,
               .row_scale = row_scales ? row_scales + b.rows.from : nullptr,
               .function = b.run.function,
               .out = y,
               .out_stride = stride,
               .rows = b.rows.size(),
               .columns = b.columns.size()});
  b.finish(y, stride);
}

Unit PreparedLinear::unit() const {
  if (!dnnl_.empty()) return dot_ == DotType::int8 ? Unit::int8 : Unit::bf16;
  switch (panels_.x_element()) {
    case OperandForm::Element::u8:
    case OperandForm::Element::i16:
      return Unit::int8;
    case OperandForm::Element::bf16_pairs:
      return Unit::bf16;
    default:
      return Unit::fp32;
  }
}

std::string PreparedLinear::effective() const {
  std::string name;
  const std::string tokens = x_ && x_->per_token ? " per token" : "";
  if (x_ && w_) {
    name = std::string(info(x_->format).name) + tokens;
    if (*w_ != x_->format) name += " x " + std::string(info(*w_).name);
  }
  std::string by;
  if (!dnnl_.empty()) by = " (oneDNN " + dnnl_.front()->implementation() + ")";
  else if (dnnl_refused_) by = " (oneDNN has no kernel)";
  if (unit() == Unit::int8) {
    const bool wide = form_.element() == OperandForm::Element::i16;
    return name + (wide ? " as int16 products" : " dot products") + ", exact int32 sums" + by;
  }
  if (unit() == Unit::bf16)
    return (x_ ? name + " as bf16 dot products, exact; fp32 sums" : "bf16 dot products") + by;
  if (!name.empty()) return name + " as fp32 products, exact; fp32 sums" + by;
  if (x_ || w_) return "fp32 of the dequantized values";
  return round_to_bf16_ ? "fp32 of values rounded to bf16" + by : "fp32";
}

}  // namespace fp8q::cpu
