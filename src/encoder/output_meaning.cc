#include "encoder/output_meaning.h"

#include "base/error.h"
#include "encoder/summary.h"

namespace fp8q {
namespace {

// Few classifiers that pool all tokens have so many labels.
constexpr int64_t kLeastDense = 16;

bool gives_probabilities(const HeadRows& rows) {
  return rows.applies(RowFunction::softmax) || rows.applies(RowFunction::sigmoid);
}

std::string_view name(OutputKind kind) {
  switch (kind) {
    case OutputKind::hidden_states:
      return "hidden states";
    case OutputKind::token_logits:
      return "logits of every token";
    case OutputKind::logits:
      return "logits";
    case OutputKind::embedding:
      return "sentence embedding";
    case OutputKind::pooler:
      return "pooled first token";
  }
  return "?";
}

}  // namespace

OutputKind kind_of(const Encoder& encoder, const EncoderOutput& output) {
  const HeadRows& rows = output.rows;
  const bool per_token = is_per_token(encoder, rows);
  if (rows.stage == HeadRows::kHiddenStates && !output.column && !gives_probabilities(rows))
    return per_token ? OutputKind::hidden_states : OutputKind::embedding;
  if (per_token) return OutputKind::token_logits;
  if (rows.applies(RowFunction::normalize)) return OutputKind::embedding;
  if (output.column || gives_probabilities(rows) || rows.stage == HeadRows::kHiddenStates)
    return OutputKind::logits;
  const HeadStage& last = encoder.head.at(static_cast<size_t>(rows.stage));
  const bool of_all_tokens =
      last.input.applies(RowFunction::mean) || last.input.applies(RowFunction::max);
  if (last.linear.out == 1) return OutputKind::logits;
  if (last.activation == Activation::none)
    return of_all_tokens && last.linear.out >= kLeastDense ? OutputKind::embedding
                                                           : OutputKind::logits;
  return of_all_tokens ? OutputKind::embedding : OutputKind::pooler;
}

std::string describe(const Encoder& encoder, const EncoderOutput& output) {
  const OutputKind kind = kind_of(encoder, output);
  if (kind == OutputKind::hidden_states && output.rows.functions.empty())
    return std::string(name(kind));
  std::string text(gives_probabilities(output.rows) ? "probabilities" : name(kind));
  text += fmt::format(": {}", describe(encoder, output.rows));
  if (output.column) text += fmt::format(", column {}", *output.column);
  return text;
}

}  // namespace fp8q
