// Quantizes an Encoder that stands in no graph. Its Sites and weights directly get the formats,
// scales and roles that a Plan gives a model.
#pragma once

#include <vector>

#include "encoder/encoder.h"
#include "engine/engine.h"
#include "quantize/recipe.h"

namespace fp8q {

// Describes sequences of random ids below `vocabulary`, without those that are
// `excluded`. Each has `length` tokens; if `ragged`, lengths are spread evenly over [length / 4,
// length].
struct RandomBatch {
  size_t sequences, length;
  int64_t vocabulary;
  bool ragged = false;
  uint64_t seed = 1;
  std::vector<int32_t> excluded = {};
};
PackedBatch random_batch(const RandomBatch& wanted);
// Returns the ids that an encoder's engine does not take (Encoder::masked_id).
std::vector<int32_t> excluded_ids(const Encoder& encoder);

// Returns the largest magnitude at each activation Site when a float encoder runs a few random
// sequences. The list is by Site, with 0 for weights.
std::vector<float> observed_absmax(const Encoder& encoder, uint64_t seed);

// Returns the float encoder quantized as the recipe says, with embedding tables in float16.
Encoder quantized_encoder(const Encoder& encoder, const Recipe& recipe,
                          const std::vector<float>& absmax);

}  // namespace fp8q
