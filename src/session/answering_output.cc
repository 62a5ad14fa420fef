#include "session/answering_output.h"

#include <algorithm>

#include "base/error.h"
#include "encoder/output_meaning.h"
#include "encoder/summary.h"
#include "session/pooling_config.h"

namespace fp8q {
namespace {

constexpr std::string_view kCosine = "scored is the cosine of the two texts' embeddings";

// No classifier of texts has so many labels without naming them.
constexpr int64_t kLeastEmbedding = 16;

bool names_labels(const ModelConfig& config, int64_t width) {
  return static_cast<int64_t>(config.id2label.size()) == width;
}

AnsweringOutput pooled(const Bundle& bundle, const std::string& output) {
  const Pooling pooling = find_pooling(bundle.folder);
  const std::string how =
      pooling.function == RowFunction::mean
          ? "the means of their tokens' hidden states"
          : fmt::format("their tokens' hidden states pooled to the {}", name(pooling.function));
  const std::string why =
      pooling.path.empty() ? "" : fmt::format(" (as {} says)", printable(pooling.path.string()));
  return {.name = output,
          .embedding = true,
          .pooling = pooling.function,
          .note = fmt::format("the model has no head: {}, {}{}", kCosine, how, why)};
}

AnsweringOutput embedding(const std::string& output, const std::string& what) {
  return {.name = output,
          .embedding = true,
          .pooling = {},
          .note = fmt::format("{}, output \"{}\"{}", kCosine, printable(output),
                              what.empty() ? "" : fmt::format(" ({})", what))};
}

AnsweringOutput logits(const Encoder& encoder, const EncoderOutput& output) {
  AnsweringOutput answer{.name = output.name, .embedding = false, .pooling = {}, .note = ""};
  for (const auto function : {RowFunction::softmax, RowFunction::sigmoid})
    if (output.rows.applies(function))
      answer.note = fmt::format("the model's output \"{}\" is not logits but probabilities ({})",
                                printable(output.name), describe(encoder, output.rows));
  return answer;
}

// Returns the kind of an output. A linear layer that has a named label for each of its columns is a
// classifier, also where it could make an embedding.
OutputKind kind_of(const Encoder& encoder, const EncoderOutput& output, const ModelConfig& config) {
  const OutputKind kind = kind_of(encoder, output);
  const HeadRows& rows = output.rows;
  if (kind != OutputKind::embedding || rows.stage == HeadRows::kHiddenStates) return kind;
  const HeadStage& last = encoder.head.at(static_cast<size_t>(rows.stage));
  const bool plain = rows.functions.empty() && last.activation == Activation::none;
  return plain && names_labels(config, last.linear.out) ? OutputKind::logits : kind;
}

AnsweringOutput of_encoder(const Bundle& bundle, const ModelConfig& config) {
  const Encoder& encoder = *bundle.encoder;
  const auto first = [&](OutputKind kind) -> const EncoderOutput* {
    const auto at = std::ranges::find_if(encoder.outputs, [&](const EncoderOutput& output) {
      return kind_of(encoder, output, config) == kind;
    });
    return at == encoder.outputs.end() ? nullptr : &*at;
  };
  if (const auto* output = first(OutputKind::logits)) return logits(encoder, *output);
  if (const auto* output = first(OutputKind::embedding))
    return embedding(output->name, describe(encoder, output->rows));
  // A head of tokens answers other tasks.
  if (first(OutputKind::token_logits)) return {};
  if (const auto* output = first(OutputKind::hidden_states)) return pooled(bundle, output->name);
  if (const auto* output = first(OutputKind::pooler))
    return embedding(output->name, describe(encoder, output->rows));
  return {};
}

// Judges graphs that are not recognized by the form and the names of their outputs.
AnsweringOutput of_graph(const Bundle& bundle, const ModelConfig& config) {
  const auto& outputs = bundle.model.graph.outputs;
  for (const ValueInfo& output : outputs) {
    if (!output.has_shape || output.shape.size() != 2) continue;
    const int64_t width = output.shape[1].value;
    const bool wide =
        outputs.size() == 1 && width >= kLeastEmbedding && !names_labels(config, width);
    if (wide || output.name.find("sentence_embedding") != std::string::npos)
      return embedding(output.name, "");
  }
  if (outputs.size() == 1 && outputs[0].has_shape && outputs[0].shape.size() == 3)
    return pooled(bundle, outputs[0].name);
  return {};
}

}  // namespace

AnsweringOutput answering_output(const Bundle& bundle, const ModelConfig& config) {
  return bundle.encoder ? of_encoder(bundle, config) : of_graph(bundle, config);
}

}  // namespace fp8q
