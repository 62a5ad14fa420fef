// Recognizes one post-norm layer: attention, residual sum, norm, feed-forward, residual sum, norm.
#include "encoder/parts.h"

namespace fp8q::match {
namespace {

std::optional<ResidualPart> find_residual(const View& view, const std::string& value) {
  auto norm = find_layer_norm(view, value);
  if (!norm) return std::nullopt;
  const auto at = view.index().producer_index(view.rows(norm->input.value));
  if (!at || !is_op(&view.node(*at), "Add")) return std::nullopt;
  const auto& inputs = view.node(*at).inputs;
  const std::string a = view.rows(inputs[0]), b = view.rows(inputs[1]);
  if (view.is_known(a) || view.is_known(b)) return std::nullopt;
  auto of_a = find_rounded_linear(view, a), of_b = find_rounded_linear(view, b);
  // Both are linear layers if x is a projection of the embeddings. Then f(x) is made after x.
  const bool first = of_a && (!of_b || view.position(a) > view.position(b));
  if (!first && !of_b) return std::nullopt;
  Point other = point_at(view, first ? b : a);
  return ResidualPart{.linear = std::move(first ? *of_a : *of_b),
                      .other = {*at, first ? size_t{1} : size_t{0}},
                      .source = view.rows(other.value),
                      .quantization = std::move(other.quantization),
                      .norm = std::move(*norm)};
}

// The part must read the value that the sum adds. The sum must add it unrounded, or as the part
// reads it.
void check_post_norm(const View& view, const ResidualPart& residual, const Operand& input,
                     std::string_view part) {
  if (residual.source != input.source) {
    const auto norm = find_layer_norm(view, input.source);
    if (norm && view.rows(norm->input.value) == residual.source)
      differ("{} normalizes the input of the {} (pre-LN); only post-LN layers are known",
             view.where(input.source), part);
    differ("the {} reads {}, but the residual sum adds {}", part, view.where(input.source),
           view.where(residual.source));
  }
  if (residual.quantization &&
      !(input.quantization && same(*residual.quantization, *input.quantization)))
    differ("the {} and the residual sum read {} differently quantized", part,
           view.where(input.source));
}

}  // namespace

std::optional<LayerPart> find_layer(const View& view, const std::string& value) {
  auto output = find_residual(view, value);
  if (!output) return std::nullopt;

  LayerPart layer;
  layer.output_residual = std::move(*output);
  const std::string& inner = layer.output_residual.linear.input.source;
  auto intermediate = find_activation(view, inner);
  if (!intermediate || intermediate->activation == Activation::none)
    differ("{} is no activation of a linear layer", view.where(inner));
  layer.intermediate = std::move(*intermediate);
  check_post_norm(view, layer.output_residual, layer.intermediate.linear.input,
                  "feed-forward layer");

  const std::string& middle = layer.output_residual.source;
  auto sum = find_residual(view, middle);
  if (!sum) differ("{} is no layer norm of the sum after an attention", view.where(middle));
  layer.attention_residual = std::move(*sum);
  Operand& context = layer.attention_residual.linear.input;
  layer.attention = match_attention(view, context);
  context = layer.attention.context;
  check_post_norm(view, layer.attention_residual, layer.attention.query.input, "attention");
  layer.input = layer.attention_residual.source;

  const auto width = static_cast<int64_t>(layer.output_residual.norm.norm.gamma.size());
  if (layer.output_residual.linear.linear.out != width ||
      layer.attention_residual.linear.linear.out != width)
    differ("{} changes the width of the hidden states", view.where(value));
  return layer;
}

}  // namespace fp8q::match
