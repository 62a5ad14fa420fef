// Makes the engine that runs an opened model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "session/bundle.h"
#include "session/engine_memory.h"

namespace fp8q {

// Makes the engine for `execution`. Adds a note if the model runs through the interpreter although
// this was not requested. The bundle must outlive the engine. Throws an Error (unsupported) if the
// model cannot run this way, or an Error (limit) if it does not fit into memory.
std::unique_ptr<Engine> make_engine(const Bundle& bundle, const ExecutionOptions& execution,
                                    std::vector<std::string>& notes, const Workload& workload = {});

// Returns `workload.batch`, or fewer sequences if only these fit into memory. It is called before
// make_engine(), whose workload then has this batch.
size_t fitting_batch(const Bundle& bundle, const ExecutionOptions& execution,
                     const Workload& workload);

}  // namespace fp8q
