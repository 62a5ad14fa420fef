// Computes what the weights of an encoder predict about the values at its Sites, without any data.
// The observer `unit` takes its range from this prediction.
//
// Inputs of linear layers are assumed to be independent across channels. The rules by layer are:
//   result of a LayerNorm   mean beta_j, variance gamma_j^2 (a normalized row has mean 0 and
//                           variance 1; here each of its channels is taken to have them)
//   linear layer            mean b_j + sum_i W_ij mean_i, variance sum_i W_ij^2 variance_i: the
//                           fan-in decides
//   q and k of q k^T        their linear layer's, times the factor that the Site stands behind
//   context                 v's: a convex combination of rows of v
//   GELU, tanh, ...         the function of mean +- k deviations
// LayerNorm after every block makes each layer's prediction independent of the layers before it.
#pragma once

#include "calibrate/prediction.h"
#include "encoder/encoder.h"

namespace fp8q {

// Returns one prediction per Site of the encoder. It is nullopt for weights, probabilities, and
// Sites about which the rules above say nothing.
SitePredictions predict(const Encoder& encoder);

}  // namespace fp8q
