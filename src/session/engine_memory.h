// Plans the memory of engines (base/memory_plan.h) before they are made, and how many examples run
// at once so that a run fits.
//
// Planned are engines on the CPU: packed weights, what packing takes, what is under way, and the
// outputs of a batch. Results do not depend on the batch, so that a smaller one is as good. An
// engine on a GPU keeps weights and values there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "encoder/encoder.h"
#include "engine/engine.h"
#include "engine/memory_needs.h"
#include "graph/model.h"
#include "text/tokenizer.h"

namespace fp8q {

// Describes what an engine is made for.
struct Workload {
  size_t batch = 1;      // sequences per run
  size_t sequences = 1;  // all of them together
  size_t tokens = 0;     // all of them together; 0: not known
  size_t longest = 0;    // tokens of the longest sequence; 0: as many as the model takes
  Watching watching = Watching::nobody;
  // Bytes that the command keeps besides: statistics, outputs; and those for each token of a batch.
  uint64_t kept = 0;
  uint64_t kept_of_token = 0;
};
Workload workload_of(std::span<const Encoding> sequences, size_t batch);

// Returns the bytes of the outputs of all sequences, as evaluate/run.h keeps them, and of answers.
// `pooled` says whether outputs per token become one row.
uint64_t output_bytes(const Encoder& encoder, const Workload& workload, bool pooled);

// Returns `workload.batch`, or the most sequences per run that fit into memory together with the
// engine; at least 1.
size_t fitting_batch(const Encoder& encoder, ComputeType compute, const Workload& workload);

// Plans the engine and its runs, and returns how many layers can be packed side by side. Throws an
// Error (limit) that begins with `model` if they do not fit.
size_t plan_engine(const Encoder& encoder, ComputeType compute, const Workload& workload,
                   const std::string& model);

// Plans an engine that runs the model through the interpreter, one sequence after another in each
// thread, and throws as plan_engine() does.
void plan_interpreter(const Model& model, const Workload& workload, const std::string& name);

}  // namespace fp8q
