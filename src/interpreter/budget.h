// Limits what executing nodes may cost, so that a model of a few bytes cannot ask for gigabytes or
// hours: memory and work may be proportional to the model's size, and this much more.
#pragma once

#include <cstdint>

#include "interpreter/operator.h"

namespace fp8q {

// What computing the constants of a model may cost: masks and positions of small shapes are free,
// and weights may be decoded from a quarter of their size, transposed and copied, with a new tensor
// each time.
inline constexpr uint64_t kFreeBytes = uint64_t{48} << 20;
inline constexpr uint64_t kBytesPerByte = 16;
inline constexpr uint64_t kFreeSteps = uint64_t{1} << 26;  // work.h
inline constexpr uint64_t kStepsPerByte = 16;
// What running a model may cost in addition, for each element of its inputs. Every element may meet
// every weight, and as many other elements as the longest models have. The bytes are those of one
// node, as values are released.
inline constexpr uint64_t kBytesPerElement = uint64_t{1} << 20;
inline constexpr uint64_t kStepsPerElement = uint64_t{1} << 24;
inline constexpr uint64_t kMaxTensorBytes = uint64_t{1} << 31;

class Budget {
 public:
  // Returns the budget for everything that is computed from constants, and kept.
  static Budget for_constants(const Model& model);
  // Returns the budget for a run on inputs that have this many elements.
  static Budget for_run(const Model& model, uint64_t elements);

  // Takes the steps, and the memory of the outputs if they are kept. Throws an Error (limit) that
  // names the node if it would take more than is left. What it needs only while it runs may be as
  // much again.
  void take(const OpContext& context, const Types& outputs, uint64_t steps);

 private:
  Budget(uint64_t bytes, uint64_t steps, bool keeps)
      : all_bytes_(bytes), bytes_(bytes), steps_(steps), keeps_(keeps) {}

  uint64_t all_bytes_;
  uint64_t bytes_;  // left
  uint64_t steps_;  // left
  bool keeps_;
};

}  // namespace fp8q
