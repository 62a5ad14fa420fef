#include "interpreter/budget.h"

#include <algorithm>
#include <unordered_map>

#include "base/checked.h"

namespace fp8q {
namespace {

// Returns the bytes of the tensors that a model holds. Those that share their bytes count once.
uint64_t constant_bytes(const Model& model) {
  std::unordered_map<const std::byte*, uint64_t> ranges;
  const auto add = [&](const Tensor& tensor) {
    uint64_t& bytes = ranges[tensor.bytes()];
    bytes = std::max<uint64_t>(bytes, tensor.nbytes());
  };
  for (const auto& [name, tensor] : model.graph.initializers) add(tensor);
  for (const Node& node : model.graph.nodes)
    for (const auto& [name, attribute] : node.attributes)
      if (const Tensor* tensor = std::get_if<Tensor>(&attribute)) add(*tensor);
  uint64_t sum = 0;
  for (const auto& [start, bytes] : ranges) sum += bytes;
  return sum;
}

// Elements smaller than four bytes are computed in wider types, so they count as four.
uint64_t bytes_of(const AbstractValue& output) {
  const auto each = std::max<uint64_t>(element_size(output.dtype), 4);
  return capped_mul(static_cast<uint64_t>(elements(output.shape)), each);
}

// Returns what operators need while they run: inputs and outputs in the widest type.
uint64_t scratch_bytes(const OpContext& context, const Types& outputs) {
  uint64_t count = 0;
  for (size_t i = 0; i < context.input_count(); ++i)
    if (context.has(i)) count += static_cast<uint64_t>(elements(context.input(i).shape));
  for (const AbstractValue& output : outputs)
    count += static_cast<uint64_t>(elements(output.shape));
  return capped_mul(count, sizeof(double));
}

}  // namespace

Budget Budget::for_constants(const Model& model) {
  const uint64_t size = constant_bytes(model);
  return {kFreeBytes + kBytesPerByte * size, kFreeSteps + kStepsPerByte * size, true};
}

Budget Budget::for_run(const Model& model, uint64_t elements) {
  const Budget constants = for_constants(model);
  const uint64_t steps = capped_add(constants.steps_, kStepsPerElement);
  return {capped_add(constants.bytes_, capped_mul(elements, kBytesPerElement)),
          capped_mul(steps, std::max<uint64_t>(elements, 1)), false};
}

void Budget::take(const OpContext& context, const Types& outputs, uint64_t steps) {
  uint64_t bytes = 0;
  for (const AbstractValue& output : outputs) {
    bytes = capped_add(bytes, bytes_of(output));
    if (bytes > std::min(bytes_, kMaxTensorBytes))
      fail(ErrorCode::limit,
           "{}: its output of type {} and shape {} would take more memory than fp8q allows it "
           "({} MB of {})",
           describe(context.node()), name(output.dtype), to_string(output.shape),
           std::min(bytes_, kMaxTensorBytes) >> 20, kMaxTensorBytes >> 20);
  }
  if (steps > steps_)
    fail(ErrorCode::limit,
         "{}: needs {} million steps, more than fp8q allows it for a model of this size "
         "({} million are left)",
         describe(context.node()), steps / 1'000'000, steps_ / 1'000'000);
  if (const uint64_t scratch = scratch_bytes(context, outputs); scratch > all_bytes_)
    fail(ErrorCode::limit, "{}: takes {} MB while it runs, more than fp8q allows it ({} MB)",
         describe(context.node()), scratch >> 20, all_bytes_ >> 20);
  steps_ -= steps;
  if (keeps_) bytes_ -= bytes;
}

}  // namespace fp8q
