// An encoder with random weights, for benchmarks and tests: it needs no file, and runs as fast as a
// trained one of its sizes.
//
// Weights are spread as BERT's (standard deviation 0.02, gammas near 1), with a few outlier
// channels in the LayerNorms, so that activations have the large ranges which quantization has to
// deal with. Everything is FP32; a classifier of two labels reads the first token. The same shape
// and seed give the same bits with every compiler, library and number of threads. Not for judging
// accuracy.
#pragma once

#include <span>
#include <string_view>

#include "encoder/encoder.h"

namespace fp8q {

struct RandomShape {
  std::string_view name;
  int64_t layers, hidden, heads, inner, vocabulary, positions;
};

// The rows of random_shapes.def.
std::span<const RandomShape> random_shapes();
const RandomShape* random_shape_named(std::string_view name);  // nullptr: no such shape

Encoder random_encoder(const RandomShape& shape, uint64_t seed = 1);

}  // namespace fp8q
