// How many tokens a GPU works on at a time.
//
// Two things speak for few: a layer's activations then stay in the level 2 cache between its
// kernels, instead of crossing device memory (some 20 bytes a token and channel). Two speak for
// many: weights are read once for each micro-batch, and each kernel has its fixed time. Between
// them, products waste least where their tiles fill whole waves of the multiprocessors.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cuda/runtime.h"

namespace fp8q::cuda {

// y = W x with W [n, k].
struct ProductWidth {
  int64_t n, k;
};

// What a layer forms and keeps.
struct LayerWidths {
  std::vector<ProductWidth> products;
  int64_t bytes_per_token;  // of activations, between two kernels at most
};

// Of the sizes that graphs are made for (bucket_for()), between half of what the cache holds and
// all of it, the one whose products fill their waves best; the larger of equals.
int64_t token_budget(const LayerWidths& layer, const DeviceInfo& device);

// Multiplications that `tokens` rows need, over those that the waves they occupy could do, 0..1.
// Tiles are taken as 128 x 128, cuBLASLt's most frequent for FP8: an estimate, made before any
// algorithm is chosen; bench --tokens measures it.
double wave_efficiency(const LayerWidths& layer, int64_t tokens, int multiprocessors);

}  // namespace fp8q::cuda
