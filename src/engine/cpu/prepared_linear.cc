#include "engine/cpu/prepared_linear.h"

#include <algorithm>

#include "base/threads.h"
#include "kernels/cpu/codec.h"

namespace fp8q::cpu {
namespace {

constexpr size_t kTasksPerThread = 3;

constexpr size_t parts_of(size_t total, size_t each) { return (total + each - 1) / each; }

// Returns part i of [0, total) divided evenly into `parts`, in multiples of `unit`.
Range part_of(size_t total, size_t parts, size_t i, size_t unit) {
  const size_t units = parts_of(total, unit);
  return {std::min(i * units / parts * unit, total),
          std::min((i + 1) * units / parts * unit, total)};
}

// Returns the formats of both sides, or "" if one of them is not quantized.
std::string formats_of(const std::optional<ActivationQuantization>& x, std::optional<Format> w) {
  if (!x || !w) return "";
  std::string name(info(x->format).name);
  if (x->per_token) name += " per token";
  if (*w != x->format) name += " x " + std::string(info(*w).name);
  return name;
}

}  // namespace

PreparedLinear::PreparedLinear(const std::vector<const Linear*>& linears,
                               const std::vector<Site>& sites, ComputeType compute,
                               bool expand_codes) {
  const auto x = activation_quantization(sites, linears.front()->input_site);
  auto [weight, bias] = join(linears, sites);
  in_ = static_cast<size_t>(linears.front()->in);
  out_ = weight.scales.size();
  formats_ = formats_of(x, weight.format);
  const bool half = compute == ComputeType::bf16 && !x && !weight.format;
  if (half) round_to_bf16_values(weight.values.data(), weight.values.size(), weight.values.data());
  ProductParts parts{
      .types = {x ? std::optional(x->format) : std::nullopt, weight.format, half, expand_codes},
      .in = in_,
      .out = out_,
      .weight = std::move(weight),
      .scale = {},
      .bias = std::move(bias),
      .x = x};
  for (const float s : parts.weight.scales) parts.scale.push_back((x ? x->scale : 1.0f) * s);
  product_ = make_product(std::move(parts));
}

void PreparedLinear::run(const Run& args, const Operand& operand) const {
  if (args.rows == 0) return;
  const Product::Blocks blocks = product_->blocks();
  size_t row_parts = parts_of(args.rows, blocks.rows),
         column_parts = parts_of(out_, blocks.columns);
  const auto too_few = [&] {
    return row_parts * column_parts < kTasksPerThread * static_cast<size_t>(threads());
  };
  if (too_few()) column_parts = parts_of(out_, blocks.few_columns);
  if (too_few()) row_parts = parts_of(args.rows, blocks.few_rows);
  parallel_for(row_parts * column_parts, [&](size_t task) {
    const Range rows = part_of(args.rows, row_parts, task / column_parts, blocks.row_unit);
    const Range columns = part_of(out_, column_parts, task % column_parts, blocks.column_unit);
    product_->multiply({.x = args.x + rows.from * args.x_stride,
                        .x_stride = args.x_stride,
                        .operand = operand,
                        .rows = rows,
                        .columns = columns,
                        .function = args.function,
                        .y = args.y ? args.y + rows.from * args.y_stride + columns.from : nullptr,
                        .y_stride = args.y_stride,
                        .feed = args.feed});
  });
}

std::string PreparedLinear::effective() const { return product_->text(formats_); }

}  // namespace fp8q::cpu
