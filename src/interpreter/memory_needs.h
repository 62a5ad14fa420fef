// Tells how much memory the interpreter takes for a model, from shapes alone. Numbers are bounds of
// anonymous memory (base/memory.h).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "graph/model.h"

namespace fp8q {

struct InterpreterNeeds {
  uint64_t constants = 0;  // what is computed of constants, as long as the interpreter lives
  uint64_t run = 0;        // the values that are alive at once in a run, and what operators need
};
// `input_shapes` gives a shape for every graph input. Throws the errors of evaluate_abstractly().
InterpreterNeeds interpreter_needs(const Model& model,
                                   const std::map<std::string, Shape>& input_shapes);

}  // namespace fp8q
