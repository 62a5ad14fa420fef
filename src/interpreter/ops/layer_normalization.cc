// LayerNormalization (since 17) computes (x - mean) / sqrt(variance + epsilon) * scale + bias over
// all dimensions from `axis` on. The optional outputs are the mean and the inverse standard
// deviation, with the type `stash_type`. RMSNormalization (since 23) computes x / sqrt(mean of x^2
// + epsilon) * scale over the same dimensions. All is computed in double and rounded once; if the
// type is FP32, squares beyond its range are infinite.
#include <algorithm>
#include <cmath>

#include "interpreter/ops/elementwise.h"
#include "numeric/layer_norm.h"

namespace fp8q {
namespace {

size_t axis_of(const OpContext& context) {
  return normalized_axis(context, context.int_attribute("axis", -1), context.input(0).shape.size());
}

// Returns scale or bias in double, repeated to the normalized dimensions.
std::vector<double> parameters(const Tensor& tensor, const Shape& normalized) {
  Tensor wide(DType::f64, normalized);
  const Tensor exact = tensor.to(DType::f64);
  copy_strided(exact, 0, normalized, broadcast_strides(exact.shape(), normalized),
               wide.mutable_bytes());
  const auto values = wide.data<double>();
  return {values.begin(), values.end()};
}

struct Moments {
  double mean = 0;
  double inverse_deviation = 0;
};

Moments moments(std::span<const double> x, double epsilon, bool in_f32) {
  double sum = 0;
  for (const double v : x) sum += v;
  const double n = static_cast<double>(x.size());
  const double mean = sum / n;
  double squares = 0, largest = 0;
  for (const double v : x) {
    squares += (v - mean) * (v - mean);
    largest = std::max(largest, std::abs(v - mean));
  }
  if (in_f32 && may_overflow(squares))
    return {mean, inverse_deviation(squares / n, epsilon, largest)};
  return {mean, 1.0 / std::sqrt(squares / n + epsilon)};
}

Shape normalized_shape(const Shape& x, size_t axis) {
  return {x.begin() + static_cast<ptrdiff_t>(axis), x.end()};
}

void check_parameters(const OpContext& context, const Shape& normalized) {
  for (size_t i = 1; i < context.input_count(); ++i)
    if (context.has(i) && broadcast(context.input(i).shape, normalized) != normalized)
      context.reject("input {} of shape {} does not fit {}", i, to_string(context.input(i).shape),
                     to_string(normalized));
}

}  // namespace

Types infer_layer_normalization(const OpContext& context) {
  const Operand& x = context.input(0);
  require_float(context, x.dtype);
  const size_t axis = axis_of(context);
  check_parameters(context, normalized_shape(x.shape, axis));
  const auto stash = dtype_of_onnx_code(static_cast<int>(context.int_attribute("stash_type", 1)));
  if (stash != DType::f32 && stash != DType::bf16 && stash != DType::f64 && stash != DType::f16)
    context.reject("stash_type is not a floating-point type");
  Shape statistics = x.shape;
  for (size_t i = axis; i < statistics.size(); ++i) statistics[i] = 1;
  return {{x.dtype, x.shape, std::nullopt},
          {*stash, statistics, std::nullopt},
          {*stash, statistics, std::nullopt}};
}

Tensors run_layer_normalization(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const Shape normalized = normalized_shape(x.shape(), axis_of(context));
  const auto scale = parameters(context.tensor(1), normalized);
  const auto bias = context.has(2) ? parameters(context.tensor(2), normalized)
                                   : std::vector<double>(scale.size(), 0.0);
  const auto epsilon = static_cast<double>(context.float_attribute("epsilon", 1e-5f));
  Tensor out = x.to(DType::f64);
  Tensor mean(DType::f64, types[1].shape);
  Tensor deviation(DType::f64, types[2].shape);
  auto values = out.mutable_data<double>();
  auto means = mean.mutable_data<double>();
  auto deviations = deviation.mutable_data<double>();
  for (size_t r = 0; r < means.size(); ++r) {
    const auto row = values.subspan(r * scale.size(), scale.size());
    const Moments m = moments(row, epsilon, types[1].dtype == DType::f32);
    means[r] = m.mean;
    deviations[r] = m.inverse_deviation;
    for (size_t i = 0; i < row.size(); ++i)
      row[i] = (row[i] - m.mean) * m.inverse_deviation * scale[i] + bias[i];
  }
  return {out.to(types[0].dtype), mean.to(types[1].dtype), deviation.to(types[2].dtype)};
}

Types infer_rms_normalization(const OpContext& context) {
  require_float(context, context.input(0).dtype);
  check_parameters(context, normalized_shape(context.input(0).shape, axis_of(context)));
  return infer_same(context);
}

Tensors run_rms_normalization(const OpContext& context, const Types& types) {
  Tensor out = context.tensor(0).to(DType::f64);
  const Shape normalized = normalized_shape(out.shape(), axis_of(context));
  const auto scale = parameters(context.tensor(1), normalized);
  const auto epsilon = static_cast<double>(context.float_attribute("epsilon", 1e-5f));
  const auto values = out.mutable_data<double>();
  for (size_t at = 0; at < values.size(); at += scale.size()) {
    double squares = 0;
    for (size_t i = 0; i < scale.size(); ++i) squares += values[at + i] * values[at + i];
    const double root = std::sqrt(squares / static_cast<double>(scale.size()) + epsilon);
    for (size_t i = 0; i < scale.size(); ++i) values[at + i] *= scale[i] / root;
  }
  return {out.to(types[0].dtype)};
}

}  // namespace fp8q
