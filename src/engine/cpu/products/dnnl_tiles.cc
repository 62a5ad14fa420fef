// Multiplies INT8 by INT8 or BF16 by BF16 by AMX tiles, with oneDNN.
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "engine/cpu/products/products.h"
#include "kernels/cpu/dnnl_matmul.h"

namespace fp8q::cpu::products {
namespace {

constexpr size_t kRows = DnnlMatmul::kRows;
// A product by oneDNN has at most this many columns, in multiples of 64. Few rows still make work
// for several threads then, and the overhead of a call does not count.
constexpr size_t kColumns = 256;

DotType dot_type(const ProductTypes& types) {
  return types.integers() ? DotType::int8 : DotType::bf16;
}

// Returns some columns packed by oneDNN, or nullptr if oneDNN refuses.
std::unique_ptr<DnnlMatmul> pack(const std::vector<float>& values, const ProductParts& parts,
                                 Range columns) {
  const DotType dot = dot_type(parts.types);
  std::vector<int8_t> int8;
  std::vector<uint16_t> bf16;
  if (dot == DotType::int8) int8.resize(parts.in * columns.size());
  else bf16.resize(parts.in * columns.size());
  for (size_t k = 0; k < parts.in; ++k) {
    const float* from = values.data() + k * parts.out + columns.from;
    if (dot == DotType::int8)
      std::transform(from, from + columns.size(), int8.data() + k * columns.size(),
                     [](float v) { return static_cast<int8_t>(v); });
    else round_to_bf16(from, columns.size(), bf16.data() + k * columns.size());  // exact
  }
  const void* plain = int8.data();
  if (dot == DotType::bf16) plain = bf16.data();
  return DnnlMatmul::create(dot, parts.in, columns.size(), plain);
}

class DnnlTiles final : public Product {
 public:
  DnnlTiles(ProductParts& parts, std::vector<std::unique_ptr<DnnlMatmul>> weights)
      : Product({dot_type(parts.types) == DotType::int8 ? elements::kI8 : elements::kBf16,
                 parts.rounding(),
                 {parts.in, parts.in, kRows}}),
        dot_(dot_type(parts.types)),
        weights_(std::move(weights)),
        scale_(std::move(parts.scale)),
        bias_(std::move(parts.bias)) {}

  Blocks blocks() const override {
    return {.rows = kRows,
            .few_rows = kRows,
            .row_unit = kRows,
            .columns = kColumns,
            .few_columns = kColumns,
            .column_unit = kColumns};
  }

  void multiply(const Block& b) const override {
    const DnnlMatmul& weights = *weights_[b.columns.from / kColumns];
    thread_local Buffer<float> memory;  // also holds int32_t, which has the same size
    float* sums = memory.grow(kRows * kColumns);
    if (!weights.run(form().row(b.operand, b.rows.from), sums))
      fail(ErrorCode::device,
           "oneDNN could not execute {}; set FP8Q_ISA=avx512-bf16 to do without it",
           weights.implementation());
    float* y = b.y ? b.y : sums;
    const size_t stride = b.y ? b.y_stride : b.columns.size();
    const float* row_scales = form().row_scales(b.operand);
    finish_sums({.sum = sums,
                 .integer = dot_ == DotType::int8,
                 .sum_stride = b.columns.size(),
                 .scale = scale_.data() + b.columns.from,
                 .bias = bias_.data() + b.columns.from,
                 .row_scale = row_scales ? row_scales + b.rows.from : nullptr,
                 .function = b.function,
                 .out = y,
                 .out_stride = stride,
                 .rows = b.rows.size(),
                 .columns = b.columns.size()});
    if (b.feed) b.feed->take({y, stride, b.rows, b.columns});
  }

  Unit unit() const override { return dot_ == DotType::int8 ? Unit::int8 : Unit::bf16; }
  std::string text(const std::string& formats) const override {
    const std::string by = " (oneDNN " + weights_.front()->implementation() + ")";
    if (dot_ == DotType::int8) return formats + " dot products, exact int32 sums" + by;
    if (formats.empty()) return "bf16 dot products" + by;
    return formats + " as bf16 dot products, exact; fp32 sums" + by;
  }

 private:
  DotType dot_;
  std::vector<std::unique_ptr<DnnlMatmul>> weights_;  // blocks of columns, side by side
  std::vector<float> scale_, bias_;
};

}  // namespace

const ProductKernel dnnl_tiles = {
    .serves =
        [](const ProductTypes& types, size_t, const Machine& machine) {
          return (types.integers() || types.halves()) && machine.isa >= Isa::amx;
        },
    .make = [](ProductParts& parts) -> std::unique_ptr<Product> {
      const std::vector<float> values = parts.weight.decoded();
      std::vector<std::unique_ptr<DnnlMatmul>> weights((parts.out + kColumns - 1) / kColumns);
      parallel_for(weights.size(), [&](size_t i) {
        weights[i] = pack(values, parts, {i * kColumns, std::min((i + 1) * kColumns, parts.out)});
      });
      if (std::ranges::any_of(weights, [](const auto& w) { return !w; })) return nullptr;
      return std::make_unique<DnnlTiles>(parts, std::move(weights));
    }};

}  // namespace fp8q::cpu::products
