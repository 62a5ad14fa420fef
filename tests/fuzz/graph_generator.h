// Makes small graphs over all operators of the interpreter.
#pragma once

#include <map>
#include <string>

#include "graph/model.h"
#include "tests/fuzz/fuzz.h"

namespace fp8q::test {

struct GeneratedGraph {
  Model model;  // every value that a node makes is known to abstract evaluation
  std::map<std::string, Tensor> inputs;
};

GeneratedGraph generate_graph(ByteSource& bytes);

}  // namespace fp8q::test
