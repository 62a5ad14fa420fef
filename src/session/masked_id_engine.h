// Runs encoders whose graph takes one token id for padding, wherever it is in a text.
#pragma once

#include <memory>

#include "engine/engine.h"
#include "session/bundle.h"

namespace fp8q {

// Returns `engine`, which attends to every token, with this change: sequences that hold the id run
// through the interpreter, as the graph says, and all others as before. `engine` must run the
// bundle's encoder, which must have a masked id, and the bundle must outlive the result.
std::unique_ptr<Engine> with_masked_id(const Bundle& bundle, std::unique_ptr<Engine> engine);

}  // namespace fp8q
