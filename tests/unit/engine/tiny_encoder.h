// Builds a small random encoder by hand, with any quantization, and computes it naively.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "engine/engine.h"

namespace fp8q::test {

// Says what the pooler reads; the classifier reads the pooler.
enum class TinyHead { none, first_token, every_token, mean };

struct TinyOptions {
  std::optional<Format> activations;  // of the layers' linear inputs and attention operands
  std::optional<Format> weights;      // of the layers' linear weights
  std::optional<Format> points;       // of everything else, and of what residual sums add
  bool per_token = false;  // linear inputs have a scale per token, attention operands stay float
  bool factors = false;    // linear inputs have factors of their channels
  bool channel_scales = true;
  bool transposed = false;
  DType table_type = DType::f32;  // f32, f16, or codes with row scales
  TinyHead head = TinyHead::first_token;
  std::vector<RowFunction> pooled;    // makes another output, "pooled", of the hidden states
  std::vector<RowFunction> answer;    // makes another output, "answer", of the logits
  std::optional<int32_t> padding_id;  // tokens that positions do not count
  bool separate_query_scale = false;  // query's input quantized unlike key's and value's
  float query_scale = 1;
  Activation activation = Activation::gelu_erf;
  int64_t hidden = 32, heads = 4, inner = 80, layers = 2;
};

inline constexpr int64_t kTinyVocabulary = 50;
inline constexpr int64_t kTinyPositions = 64;

Encoder tiny_encoder(const TinyOptions& options);

// Returns sequences of the given lengths with random ids.
PackedBatch tiny_batch(const std::vector<size_t>& lengths, unsigned seed = 1);

// Holds what an engine's observers saw, by Site, one call after another.
using Observed = std::map<int, std::vector<float>>;

// Computes the outputs of one sequence by the definition, in double arithmetic, with Q/DQ taken
// literally. At every Site, the values computed here are recorded for comparison and then replaced
// by those observed in an engine. Otherwise a value at a rounding boundary could get one code here
// and another one there.
struct NaiveResult {
  std::vector<std::vector<double>> outputs;
  std::map<int, std::vector<double>> computed;
};
NaiveResult naive_forward(const Encoder& encoder, const std::vector<int32_t>& ids,
                          const std::vector<int32_t>& type_ids, const Observed& observed);

}  // namespace fp8q::test
