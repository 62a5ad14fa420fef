#include "encoder/summary.h"

#include <algorithm>

#include "base/error.h"

namespace fp8q {
namespace {

int64_t parameters(const Linear& linear) {
  return linear.weight.size() + (linear.bias ? linear.bias->size() : 0);
}

int64_t parameters(const LayerNorm& norm) { return norm.gamma.size() + norm.beta.size(); }

int64_t parameters(const EncoderLayer& layer) {
  return parameters(layer.query) + parameters(layer.key) + parameters(layer.value) +
         parameters(layer.attention_output) + parameters(layer.attention_norm) +
         parameters(layer.intermediate) + parameters(layer.output) + parameters(layer.output_norm);
}

int64_t parameters(const Embeddings& embeddings) {
  return embeddings.word.rows.size() + embeddings.position.rows.size() +
         (embeddings.token_type ? embeddings.token_type->rows.size() : 0) +
         parameters(embeddings.norm) +
         (embeddings.projection ? parameters(*embeddings.projection) : 0);
}

std::string describe_head(const Encoder& encoder) {
  if (encoder.head.empty()) return std::string(name(encoder.head_kind));
  std::string text;
  for (const auto& stage : encoder.head) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", stage.name, stage.linear.out);
    if (stage.activation != Activation::none) text += fmt::format(" {}", name(stage.activation));
  }
  return fmt::format("{}; {}", text, name(encoder.head_kind));
}

}  // namespace

EncoderSummary summarize(const Encoder& encoder) {
  EncoderSummary summary;
  summary.layers = static_cast<int64_t>(encoder.layers.size());
  summary.hidden = encoder.hidden;
  summary.vocabulary = encoder.embeddings.word.rows.dim(0);
  summary.positions = encoder.max_positions;
  if (encoder.embeddings.token_type)
    summary.token_types = encoder.embeddings.token_type->rows.dim(0);
  summary.parameters = parameters(encoder.embeddings);
  for (const auto& layer : encoder.layers) summary.parameters += parameters(layer);
  for (const auto& stage : encoder.head) summary.parameters += parameters(stage.linear);
  if (!encoder.layers.empty()) {
    const EncoderLayer& first = encoder.layers.front();
    summary.heads = first.attention.heads;
    summary.head_size = first.attention.head_size;
    summary.ffn = first.intermediate.out;
    summary.activation = name(first.activation);
  }
  summary.quantized_sites = std::ranges::count_if(
      encoder.sites, [](const Site& site) { return site.quantization.has_value(); });
  summary.head = describe_head(encoder);
  return summary;
}

std::string_view name(Activation activation) {
  switch (activation) {
    case Activation::none:
      return "none";
    case Activation::gelu_erf:
      return "gelu";
    case Activation::gelu_tanh:
      return "gelu_tanh";
    case Activation::relu:
      return "relu";
    case Activation::tanh:
      return "tanh";
  }
  return "?";
}

std::string_view name(HeadKind kind) {
  switch (kind) {
    case HeadKind::none:
      return "hidden states";
    case HeadKind::first_token:
      return "first token";
    case HeadKind::every_token:
      return "every token";
  }
  return "?";
}

}  // namespace fp8q
