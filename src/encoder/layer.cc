// One post-norm layer: attention, residual sum, norm, feed-forward, residual sum, norm.
#include "encoder/parts.h"

namespace fp8q::match {
namespace {

// x + f(x), f ending in a linear layer.
struct Residual {
  LinearPart linear;
  std::string other;
};

std::optional<Residual> find_residual(const View& view, const std::string& value) {
  const Node* sum = view.producer(view.rows(value));
  if (!is_op(sum, "Add")) return std::nullopt;
  const std::string a = view.rows(sum->inputs[0]), b = view.rows(sum->inputs[1]);
  if (view.contents(a) || view.contents(b)) return std::nullopt;
  auto of_a = find_linear(view, a), of_b = find_linear(view, b);
  // Both are linear layers where x is a projection of the embeddings; f(x) is made after x.
  if (of_a && (!of_b || view.position(a) > view.position(b))) return Residual{std::move(*of_a), b};
  if (of_b) return Residual{std::move(*of_b), a};
  return std::nullopt;
}

void check_post_norm(const View& view, const std::string& residual, const std::string& input,
                     std::string_view part) {
  if (residual == input) return;
  const auto norm = find_layer_norm(view, input);
  if (norm && view.rows(norm->input) == residual)
    differ("{} normalises the input of the {} (pre-LN); only post-LN layers are known",
           view.where(input), part);
  differ("the {} reads {}, but the residual sum adds {}", part, view.where(input),
         view.where(residual));
}

}  // namespace

std::optional<LayerPart> find_layer(const View& view, const std::string& value) {
  auto output_norm = find_layer_norm(view, value);
  if (!output_norm) return std::nullopt;
  auto output = find_residual(view, output_norm->input);
  if (!output) return std::nullopt;

  LayerPart layer;
  layer.output_norm = std::move(output_norm->norm);
  layer.output = std::move(output->linear);
  auto intermediate = find_activation(view, layer.output.input.source);
  if (!intermediate || intermediate->activation == Activation::none)
    differ("{} is no activation of a linear layer", view.where(layer.output.input.source));
  layer.intermediate = std::move(*intermediate);
  check_post_norm(view, output->other, layer.intermediate.linear.input.source,
                  "feed-forward layer");

  auto attention_norm = find_layer_norm(view, output->other);
  if (!attention_norm) differ("{} is no layer norm after attention", view.where(output->other));
  auto sum = find_residual(view, attention_norm->input);
  if (!sum) differ("{} is no residual sum of an attention", view.where(attention_norm->input));
  layer.attention_norm = std::move(attention_norm->norm);
  layer.attention_output = std::move(sum->linear);
  layer.attention = match_attention(view, layer.attention_output.input);
  layer.attention_output.input = layer.attention.context;
  check_post_norm(view, sum->other, layer.attention.input, "attention");
  layer.input = sum->other;

  const auto width = static_cast<int64_t>(layer.output_norm.gamma.size());
  if (layer.output.linear.out != width || layer.attention_output.linear.out != width)
    differ("{} changes the width of the hidden states", view.where(value));
  return layer;
}

}  // namespace fp8q::match
