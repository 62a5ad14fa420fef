// Collects what results say about how models were run.
#pragma once

#include <string_view>

#include "base/stopwatch.h"
#include "engine/engine.h"
#include "fp8q/common.h"

namespace fp8q {

// Returns device, description and threads.
ExecutionFacts execution_on(const Engine& engine);

// Returns the facts with the seconds since the watch began and the peak of memory.
ExecutionFacts with_costs(ExecutionFacts facts, const Stopwatch& watch);

std::string_view name_of(Compute compute);  // "auto", "fp32", "bf16"
std::string_view name_of(Gelu gelu);        // "model", "tanh"

}  // namespace fp8q
