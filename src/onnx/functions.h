// Model-local functions are inlined before anything else looks at the graph.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "onnx/proto.h"

namespace fp8q {

// Replaces every call of a function of the model by the function's nodes, named "<call>/<node or
// value>", and removes the functions. Operator sets that only functions import are added to
// `opsets`. Throws an Error (bad_model) for recursion or wrong arguments, an Error (unsupported) if
// a function imports a version of an operator set that differs from the model's, or an Error
// (limit) if there are too many nodes or bytes.
void inline_functions(onnx::ModelProto& model, std::map<std::string, int64_t>& opsets);

}  // namespace fp8q
