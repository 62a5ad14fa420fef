// Holds examples out of a search, so that its result is judged on other examples than those it was
// chosen on.
//
// The split follows from the examples and a seed alone, not from their order. Examples with the
// same first text (for questions, about the same passage) form a group that stays on one side,
// because otherwise the other side would not be new. Groups are ranked by the SHA-256 of seed and
// text and held out in this order. A group that would exceed the share is skipped.
#pragma once

#include <cstdint>
#include <vector>

#include "tasks/dataset.h"
#include "tasks/task.h"

namespace fp8q {

// Names one side of the split.
struct HoldoutSide {
  double share = 0;  // share of the examples that are held out, in [0, 1)
  uint64_t seed = 1;
  bool held_out = false;  // selects this side or the other
};

// Returns the examples of the side, in their order. With share 0 these are all. Throws an Error
// (usage) if a side would be empty.
std::vector<Example> examples_of(const HoldoutSide& side, const Task& task,
                                 std::vector<Example> examples);

}  // namespace fp8q
