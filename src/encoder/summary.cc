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
  if (encoder.head.empty()) {
    std::vector<std::string> outputs;
    for (const auto& output : encoder.outputs)
      if (const auto text = describe(encoder, output.rows);
          std::ranges::find(outputs, text) == outputs.end())
        outputs.push_back(text);
    return fmt::format("{}", fmt::join(outputs, "; "));
  }
  std::string text;
  for (const auto& stage : encoder.head) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", stage.name, stage.linear.out);
    if (stage.activation != Activation::none) text += fmt::format(" {}", name(stage.activation));
  }
  const HeadRows& read = encoder.head.front().input;
  return fmt::format("{}; {}", text,
                     read.functions.empty() ? "every token" : describe(encoder, read));
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

std::string_view name(RowFunction function) {
  switch (function) {
    case RowFunction::first_token:
      return "first token";
    case RowFunction::mean:
      return "mean of tokens";
    case RowFunction::max:
      return "largest of tokens";
    case RowFunction::softmax:
      return "softmax";
    case RowFunction::sigmoid:
      return "sigmoid";
    case RowFunction::normalize:
      return "normalized";
    case RowFunction::float16:
      return "as float16";
  }
  return "?";
}

std::string describe(const Encoder& encoder, const HeadRows& rows) {
  std::string text;
  if (rows.stage != HeadRows::kHiddenStates)
    text = encoder.head.at(static_cast<size_t>(rows.stage)).name;
  else if (is_per_token(encoder, rows)) text = "hidden states";
  for (const RowFunction function : rows.functions)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", name(function));
  return text;
}

}  // namespace fp8q
