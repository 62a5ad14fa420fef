// Sees a model that computes in float16 or bfloat16 as the model in FP32 that it was made from.
#pragma once

#include <vector>

#include "graph/model.h"
#include "graph/site.h"

namespace fp8q {

// Returns whether a tensor of the model has 16 bits: a weight, an input, or the result of a Cast.
bool has_half_precision(const Model& model);

// Holds the same graph with every value of 16 bits in FP32. Weights keep their payload: a Cast
// makes the value that bears their name. Node n of the model is node `casts` + n here, and values
// keep their names.
struct WideModel {
  Model model;
  size_t casts = 0;
};
WideModel widened(const Model& model);

// Moves the Sites of a widened model to the model that it was made from.
void move_sites_back(const WideModel& wide, std::vector<Site>& sites);

// Notes the types of the Sites' values. Throws an Error if the graph has values of 16 bits and its
// shapes do not follow from batch size and sequence length: types are then unknown.
void find_types(const Model& model, std::vector<Site>& sites);

}  // namespace fp8q
