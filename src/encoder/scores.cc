// Examines the nodes between q k^T and the softmax: a scale and a mask, or something else.
#include <cmath>

#include "encoder/parts.h"

namespace fp8q::match {
namespace {

Tensor filled(const View& view, const std::string& input, const Shape& shape, float value) {
  Tensor tensor(DType::f32, shape);
  for (float& v : tensor.mutable_data<float>()) v = value;
  for (const auto& info : view.model().graph.inputs)
    if (info.name == input) return tensor.to(info.dtype);
  return tensor;
}

// Makes scores of up to `size` in both directions.
Tensor test_scores(const Shape& shape, float size) {
  Tensor x(DType::f32, shape);
  const auto values = x.mutable_data<float>();
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = (static_cast<float>(i * 7919 % 1009) / 504.0f - 1.0f) * size;
  return x;
}

bool is_multiple(const Tensor& x, const Tensor& y, float factor) {
  const auto in = x.data<float>(), out = y.data<float>();
  for (size_t i = 0; i < in.size(); ++i) {
    const double expected = static_cast<double>(in[i]) * factor;
    if (!(std::abs(out[i] - expected) <= 1e-5 * std::abs(expected) + 1e-7)) return false;
  }
  return true;
}

bool is_activation_op(const Node& node) {
  return is_op(&node, "MatMul") || is_op(&node, "Gemm") || is_op(&node, "Softmax") ||
         is_op(&node, "LayerNormalization");
}

void note_mask_inputs(const Cone& piece, InputRoles& roles) {
  for (const auto& input : piece.open) {
    if (input == roles.ids || input == roles.token_type || input == roles.position) continue;
    if (!roles.mask.empty() && roles.mask != input)
      differ("the attention mask depends on two inputs, \"{}\" and \"{}\"", printable(roles.mask),
             printable(input));
    roles.mask = input;
  }
}

}  // namespace

Tensors model_inputs(const View& view, size_t probe, const InputRoles& roles, int64_t id) {
  Tensors tensors;
  for (const auto& [name, shape] : view.probes()[probe].input_shapes) {
    float value = 1;
    if (name == roles.ids) value = static_cast<float>(id);
    if (name == roles.token_type) value = 0;
    Tensor tensor = filled(view, name, shape, value);
    if (name == roles.position) {
      Tensor positions(DType::f32, shape);
      const auto values = positions.mutable_data<float>();
      const auto length = static_cast<size_t>(shape.empty() ? 1 : shape.back());
      for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % length);
      tensor = positions.to(tensor.dtype());
    }
    tensors.emplace(name, std::move(tensor));
  }
  return tensors;
}

float match_scores(const View& view, const AttentionPart& attention, InputRoles& roles) {
  std::optional<float> scale;
  for (size_t probe = 0; probe < view.probes().size(); ++probe) {
    const auto piece = cone(view, probe, attention.softmax_input, {attention.scores.reading},
                            [](const Node& node) { return !is_activation_op(node); });
    if (!piece)
      differ("what is added to the scores of {} depends on activations",
             view.where(attention.scores.reading));
    note_mask_inputs(*piece, roles);
    Tensors given = model_inputs(view, probe, roles, 5);
    const Shape& shape = view.probes()[probe].values.at(attention.scores.reading).shape;
    const auto respond = [&](const Tensor& scores) {
      given.insert_or_assign(attention.scores.reading, scores);
      const Tensor y = run(view, probe, *piece, attention.softmax_input, given);
      if (y.size() != scores.size() || y.dtype() != DType::f32)
        differ("{} changes the shape of the scores", view.where(attention.softmax_input));
      return y;
    };
    // First find the exact factor, then check that there is nothing but a factor. Small scores show
    // additions, and large scores show limits.
    const Tensor ones = filled(view, "", shape, 1);
    const Tensor small = test_scores(shape, 5), large = test_scores(shape, 1e4f);
    const Tensor scaled_ones = respond(ones);
    const float factor = scaled_ones.data<float>()[0];
    if (!std::isfinite(factor) || !is_multiple(ones, scaled_ones, factor) ||
        !is_multiple(small, respond(small), factor) || !is_multiple(large, respond(large), factor))
      differ(
          "the scores of {} are not only scaled and masked for padding: a causal or local mask, a "
          "position bias, or a limit",
          view.where(attention.scores.reading));
    if (scale && std::abs(*scale - factor) > 1e-6f * std::abs(factor))
      differ("the scale of the scores of {} depends on the shape",
             view.where(attention.scores.reading));
    if (!scale) scale = factor;
  }
  return *scale;
}

}  // namespace fp8q::match
