#include "session/execution.h"

#include "base/memory.h"
#include "base/memory_plan.h"
#include "base/threads.h"

namespace fp8q {

ExecutionFacts execution_on(const Engine& engine) {
  return {.device = engine.device(), .description = engine.description(), .threads = threads()};
}

ExecutionFacts with_costs(ExecutionFacts facts, const Stopwatch& watch) {
  facts.elapsed_s = watch.seconds();
  facts.peak_rss_bytes = peak_rss_bytes();
  facts.planned_bytes = planned_memory_bytes();
  return facts;
}

std::string_view name_of(Compute compute) {
  switch (compute) {
    case Compute::automatic:
      return "auto";
    case Compute::fp32:
      return "fp32";
    case Compute::bf16:
      return "bf16";
  }
  return "";
}

std::string_view name_of(Gelu gelu) { return gelu == Gelu::tanh ? "tanh" : "model"; }

}  // namespace fp8q
