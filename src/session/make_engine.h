// Makes the engine that runs an opened model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "session/bundle.h"

namespace fp8q {

// Makes the engine for `execution`. Adds a note if the model runs through the interpreter although
// this was not requested. The bundle must outlive the engine. Throws an Error (unsupported) if the
// model cannot run this way.
std::unique_ptr<Engine> make_engine(const Bundle& bundle, const ExecutionOptions& execution,
                                    std::vector<std::string>& notes);

}  // namespace fp8q
