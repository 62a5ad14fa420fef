#include "session/engine_memory.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "base/memory_plan.h"
#include "base/threads.h"
#include "interpreter/abstract.h"
#include "interpreter/memory_needs.h"
#include "text/encodings.h"

namespace fp8q {
namespace {

// Takes what is small: texts of results, and fragments that the allocator cannot give back.
constexpr uint64_t kAllowance = uint64_t{8} << 20;
constexpr const char* kRemedy =
    "convert the model to 8 bits, which take a quarter of the memory, or cut examples with "
    "--max-length";

RunShape run_shape(const Encoder& encoder, const Workload& w) {
  const auto most = static_cast<size_t>(std::max<int64_t>(encoder.max_positions, 1));
  const size_t longest = w.longest > 0 ? w.longest : most;
  size_t tokens = w.batch * longest;
  if (w.tokens > 0) tokens = std::min(tokens, w.tokens);
  return {w.batch, tokens, longest, w.watching};
}

MemoryPlan plan_of(const Encoder& encoder, ComputeType compute, const Workload& w, size_t layers) {
  const EngineNeeds needs = cpu_engine_needs(encoder, compute);
  const RunShape shape = run_shape(encoder, w);
  const uint64_t run = cpu_run_needs(encoder, compute, shape) + shape.tokens * w.kept_of_token;
  MemoryPlan plan;
  plan.add("for packed weights", needs.weights)
      .add("to pack or run them", std::max(layers * needs.packing, run))
      .add("for results", w.kept + kAllowance);
  return plan;
}

}  // namespace

Workload workload_of(std::span<const Encoding> sequences, size_t batch) {
  Workload workload{
      .batch = batch, .sequences = sequences.size(), .tokens = count_tokens(sequences)};
  for (const Encoding& e : sequences) workload.longest = std::max(workload.longest, e.ids.size());
  return workload;
}

uint64_t output_bytes(const Encoder& encoder, const Workload& workload, bool pooled) {
  constexpr uint64_t kVector = 48;    // a std::vector, and the head of its block
  constexpr uint64_t kAnswer = 1024;  // what is made of the outputs, as it is written
  uint64_t bytes = workload.sequences * (kVector + kAnswer);
  for (const EncoderOutput& output : encoder.outputs) {
    const bool rows_of_tokens = is_per_token(encoder, output.rows) && !pooled;
    const auto width = output.column ? 1 : static_cast<uint64_t>(width_of(encoder, output.rows));
    bytes += workload.sequences * kVector +
             (rows_of_tokens ? workload.tokens : workload.sequences) * width * sizeof(float);
  }
  return bytes;
}

size_t fitting_batch(const Encoder& encoder, ComputeType compute, const Workload& workload) {
  Workload smaller = workload;
  while (smaller.batch > 1 && !plan_of(encoder, compute, smaller, 1).fits()) smaller.batch /= 2;
  return smaller.batch;
}

size_t plan_engine(const Encoder& encoder, ComputeType compute, const Workload& workload,
                   const std::string& model) {
  size_t layers = std::min<size_t>(static_cast<size_t>(threads()), 2);
  if (!plan_of(encoder, compute, workload, layers).fits()) layers = 1;
  plan_of(encoder, compute, workload, layers).require(model, kRemedy);
  return layers;
}

void plan_interpreter(const Model& model, const Workload& workload, const std::string& name) {
  const auto longest = static_cast<int64_t>(std::max(workload.longest, size_t{1}));
  InterpreterNeeds needs;
  try {
    needs = interpreter_needs(model, input_shapes_for(model, 1, longest));
  } catch (const Error&) {  // whoever makes or runs the interpreter tells what is wrong
    return;
  }
  const bool in_order = workload.watching == Watching::observer;
  const size_t workers = in_order ? 1 : std::min(static_cast<size_t>(threads()), workload.batch);
  MemoryPlan()
      .add("for constants", needs.constants)
      .add("to run", capped_mul(workers, needs.run))
      .add("for results", workload.kept + kAllowance)
      .require(name, workers > 1 ? "use fewer --threads" : kRemedy);
}

}  // namespace fp8q
