// Quantizing an Encoder that stands in no graph: the same formats, scales and roles as a Plan gives
// a model, put straight into its Sites and weights.
#pragma once

#include <vector>

#include "encoder/encoder.h"
#include "engine/engine.h"
#include "quantize/recipe.h"

namespace fp8q {

// Sequences of random ids below `vocabulary`. Of `length` tokens each; ragged: of lengths spread
// evenly over [length / 4, length].
struct RandomBatch {
  size_t sequences, length;
  int64_t vocabulary;
  bool ragged = false;
  uint64_t seed = 1;
};
PackedBatch random_batch(const RandomBatch& wanted);

// The largest magnitude at each activation Site when a float encoder runs a few random sequences;
// by Site, 0 for weights.
std::vector<float> observed_absmax(const Encoder& encoder, uint64_t seed);

// The float encoder quantized as the recipe says, embedding tables in float16.
Encoder quantized_encoder(const Encoder& encoder, const Recipe& recipe,
                          const std::vector<float>& absmax);

}  // namespace fp8q
