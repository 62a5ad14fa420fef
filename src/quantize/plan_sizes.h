// Computes what a plan does to the size of a model.
#pragma once

#include <cstdint>

#include "graph/model.h"
#include "quantize/plan.h"

namespace fp8q {

// The sizes are in bytes. Each stored constant counts once; scales do not count.
struct PlanSizes {
  uint64_t matrices_before = 0;  // the quantized weights, as FP32
  uint64_t matrices_after = 0;   // as codes
  uint64_t tables_before = 0;    // the embedding tables, as FP32
  uint64_t tables_after = 0;     // as they are stored
};

// `source` is the model that the plan was made for.
PlanSizes sizes_of(const Plan& plan, const Model& source);

}  // namespace fp8q
