// Says how many tokens a GPU works on at a time.
//
// Few tokens have one advantage: a layer's activations stay in the level 2 cache between its
// kernels, instead of crossing device memory (some 20 bytes a token and channel). Many tokens have
// two: weights are read once for each micro-batch, and each kernel has a fixed cost. Between these
// limits, products waste least if their tiles fill whole waves of the multiprocessors.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cuda/runtime.h"

namespace fp8q::cuda {

// Holds the sizes of a product y = W x with W [n, k].
struct ProductWidth {
  int64_t n, k;
};

// Says what a layer computes and keeps.
struct LayerWidths {
  std::vector<ProductWidth> products;
  int64_t bytes_per_token;  // of activations, between two kernels at most
};

// Chooses among the sizes that graphs are made for (bucket_for()), between half of what the cache
// holds and all of it. Returns the size whose products fill their waves best, or the larger of
// equals.
int64_t token_budget(const LayerWidths& layer, const DeviceInfo& device);

// Returns the multiplications that `tokens` rows need, divided by those that the waves they occupy
// could do, 0..1. Tiles are taken as 128 x 128, cuBLASLt's most frequent for FP8. This is an
// estimate, made before any algorithm is chosen; bench --tokens measures the real cost.
double wave_efficiency(const LayerWidths& layer, int64_t tokens, int multiprocessors);

}  // namespace fp8q::cuda
