#include "evaluate/output_error.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "encoder/output_meaning.h"

namespace fp8q {
namespace {

// Returns log softmax, in double.
std::vector<double> log_probabilities(std::span<const float> logits) {
  const double top = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit} - top);
  std::vector<double> result;
  for (const float logit : logits) result.push_back(double{logit} - top - std::log(sum));
  return result;
}

bool is_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float x) { return std::isfinite(x); });
}

const EncoderOutput* known_output(const EngineOutput& output, const Encoder* encoder) {
  if (!encoder) return nullptr;
  const auto at = std::ranges::find(encoder->outputs, output.name, &EncoderOutput::name);
  return at == encoder->outputs.end() ? nullptr : &*at;
}

bool is_decision(const Encoder& encoder, const EncoderOutput& output) {
  const OutputKind kind = kind_of(encoder, output);
  return (kind == OutputKind::logits || kind == OutputKind::token_logits) &&
         !output.rows.applies(RowFunction::sigmoid);
}

bool is_after_softmax(const EngineOutput& output, const Encoder* encoder) {
  const EncoderOutput* known = known_output(output, encoder);
  return known && known->rows.applies(RowFunction::softmax);
}

// Returns logits that give these probabilities. Those that FP32 rounds to 0 count as the least.
std::vector<float> logits_of(std::span<const float> probabilities) {
  std::vector<float> logits;
  for (const float p : probabilities)
    logits.push_back(std::log(std::max(p, std::numeric_limits<float>::min())));
  return logits;
}

void add_decision(std::span<const float> reference, std::span<const float> compared,
                  OutputError& error) {
  if (reference.empty() || !is_finite(reference) || !is_finite(compared)) return;
  const auto logs = [&](std::span<const float> row) {
    return error.after_softmax ? log_probabilities(logits_of(row)) : log_probabilities(row);
  };
  const std::vector<double> p = logs(reference), q = logs(compared);
  double divergence = 0;
  for (size_t i = 0; i < p.size(); ++i) divergence += std::exp(p[i]) * (p[i] - q[i]);
  divergence = std::max(divergence, 0.0);  // only rounding makes it negative
  const auto decided = std::ranges::max_element(p) - p.begin();
  ++error.decisions;
  error.equal += std::ranges::max_element(q) - q.begin() == decided;
  error.kl_sum += divergence;
  error.kl_max = std::max(error.kl_max, divergence);
  error.loss_sum -= q[static_cast<size_t>(decided)];
}

void add_output(const EngineOutput& reference, const EngineOutput& compared,
                const PackedBatch& batch, OutputError& error) {
  const std::span a(reference.values), b(compared.values);
  error.numbers.add(a, b);
  const auto width = static_cast<size_t>(reference.width);
  if (error.meaning == OutputMeaning::classes)
    for (size_t at = 0; at < a.size(); at += width)
      add_decision(a.subspan(at, width), b.subspan(at, width), error);
  if (error.meaning == OutputMeaning::positions)
    for (size_t s = 0; s < batch.sequences(); ++s) {
      const auto from = static_cast<size_t>(batch.offsets[s]);
      const auto to = static_cast<size_t>(batch.offsets[s + 1]);
      add_decision(a.subspan(from, to - from), b.subspan(from, to - from), error);
    }
}

}  // namespace

OutputMeaning meaning_of(const EngineOutput& output, const Encoder* encoder) {
  const EncoderOutput* known = known_output(output, encoder);
  const bool logits =
      known ? is_decision(*encoder, *known) : !output.per_token || output.width == 1;
  if (!logits) return OutputMeaning::numbers;
  if (output.width > 1) return OutputMeaning::classes;
  return output.per_token ? OutputMeaning::positions : OutputMeaning::numbers;
}

void OutputErrors::add(const std::vector<EngineOutput>& reference,
                       const std::vector<EngineOutput>& compared, const PackedBatch& batch) {
  if (outputs_.empty())
    for (const EngineOutput& output : reference)
      outputs_.push_back({.name = output.name,
                          .meaning = meaning_of(output, encoder_),
                          .after_softmax = is_after_softmax(output, encoder_)});
  for (size_t o = 0; o < reference.size(); ++o) {
    const auto other = std::ranges::find(compared, reference[o].name, &EngineOutput::name);
    if (other == compared.end() || other->width != reference[o].width ||
        other->values.size() != reference[o].values.size())
      fail(ErrorCode::unsupported, "the models have different outputs: \"{}\" {}",
           printable(reference[o].name),
           other == compared.end() ? "is in the first only"
                                   : fmt::format("is {} wide in the first and {} in the second",
                                                 reference[o].width, other->width));
    add_output(reference[o], *other, batch, outputs_[o]);
  }
}

}  // namespace fp8q
