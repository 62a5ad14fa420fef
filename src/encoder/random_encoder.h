// Makes an encoder with random weights, for benchmarks and tests. It needs no file, and runs as
// fast as a trained encoder of its size.
//
// The weights are spread like BERT's (standard deviation 0.02, gammas near 1), with a few outlier
// channels in the LayerNorms. Activations therefore have the large ranges that quantization has to
// handle. Everything is FP32; a classifier with two labels reads the first token. The same shape
// and seed give the same bits with every compiler, library and number of threads. This encoder is
// not for judging accuracy.
#pragma once

#include <span>
#include <string_view>

#include "encoder/encoder.h"

namespace fp8q {

struct RandomShape {
  std::string_view name;
  int64_t layers, hidden, heads, inner, vocabulary, positions;
};

// Returns the rows of random_shapes.def.
std::span<const RandomShape> random_shapes();
const RandomShape* random_shape_named(std::string_view name);  // nullptr: no such shape

Encoder random_encoder(const RandomShape& shape, uint64_t seed = 1);

}  // namespace fp8q
