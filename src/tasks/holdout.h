// Examples kept back from a search, so that what it finds is judged on others than those it was
// chosen on.
//
// The split follows from the examples and a seed alone, not from their order. Examples with the
// same first text (questions: about the same passage) stay on one side, as far as the other side
// would not be new otherwise: they are groups, which are ranked by the SHA-256 of seed and text and
// kept back in this order, one that would exceed the share being passed over.
#pragma once

#include <cstdint>
#include <vector>

#include "tasks/dataset.h"
#include "tasks/task.h"

namespace fp8q {

// One side of the split.
struct HoldoutSide {
  double share = 0;  // of the examples that are held out, in [0, 1)
  uint64_t seed = 1;
  bool held_out = false;  // this side, or the other
};

// Those of the side, in their order: with share 0 all. Error (usage): a side would be empty.
std::vector<Example> examples_of(const HoldoutSide& side, const Task& task,
                                 std::vector<Example> examples);

}  // namespace fp8q
