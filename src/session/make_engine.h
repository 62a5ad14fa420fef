// The engine that runs an opened model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "session/bundle.h"

namespace fp8q {

// The engine for `execution`; adds a note where the model runs through the interpreter without
// being asked to. The bundle must outlive it. Error (unsupported): the model cannot be run so.
std::unique_ptr<Engine> make_engine(const Bundle& bundle, const ExecutionOptions& execution,
                                    std::vector<std::string>& notes);

}  // namespace fp8q
