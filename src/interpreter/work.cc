#include "interpreter/work.h"

#include <algorithm>

#include "base/checked.h"

namespace fp8q {
namespace {

// Returns the outputs' elements times `each`, plus the elements of the inputs.
uint64_t work(const OpContext& context, const Types& outputs, uint64_t each) {
  uint64_t steps = 0;
  for (size_t i = 0; i < context.input_count(); ++i)
    if (context.has(i))
      steps = capped_add(steps, static_cast<uint64_t>(elements(context.input(i).shape)));
  for (const AbstractValue& output : outputs)
    steps = capped_add(steps, capped_mul(static_cast<uint64_t>(elements(output.shape)), each));
  return steps;
}

// A loop has to be set up, which takes as long as this many steps.
constexpr uint64_t kLoopSteps = 16;

}  // namespace

uint64_t work_of_elements(const OpContext& context, const Types& outputs) {
  return work(context, outputs, 1);
}

uint64_t work_of_axes(const OpContext& context, const Types& outputs) {
  const size_t axes = std::max<size_t>(context.input(0).shape.size(), 1);
  return capped_mul(work_of_elements(context, outputs), axes);
}

uint64_t work_of_reduction(const OpContext& context, const Types& outputs) {
  return work(context, outputs, kLoopSteps);
}

uint64_t work_of_sorting(const OpContext& context, const Types& outputs) {
  constexpr uint64_t kComparisons = 32;  // per element: about the logarithm of the largest length
  return capped_mul(work_of_elements(context, outputs), kComparisons);
}

uint64_t work_of_matmul(const OpContext& context, const Types& outputs) {
  return work(context, outputs, static_cast<uint64_t>(context.input(0).shape.back()) + 1);
}

uint64_t work_of_gemm(const OpContext& context, const Types& outputs) {
  const bool transposed = context.int_attribute("transA", 0) != 0;
  return work(context, outputs,
              static_cast<uint64_t>(context.input(0).shape[transposed ? 0 : 1]) + 1);
}

// Every query meets every key, and every probability a row of values. The number of keys, those of
// the past included, is the last dimension but one.
uint64_t work_of_attention(const OpContext& context, const Types& outputs) {
  constexpr size_t kQuery = 0, kKey = 1, kPastKey = 4;
  const auto keys_of = [&](size_t i) {
    const Shape& shape = context.input(i).shape;
    return static_cast<uint64_t>(shape[shape.size() - 2]);
  };
  const uint64_t keys = keys_of(kKey) + (context.has(kPastKey) ? keys_of(kPastKey) : 0);
  const auto queries = static_cast<uint64_t>(elements(context.input(kQuery).shape));
  const auto results = static_cast<uint64_t>(elements(outputs[0].shape));
  return capped_add(work_of_elements(context, outputs),
                    capped_mul(capped_add(queries, results), keys));
}

}  // namespace fp8q
