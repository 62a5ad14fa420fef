// Computes nodes a second time, by the definitions of the ONNX standard alone: one element after
// the other, from its index, in double. It shares nothing with the interpreter.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/model.h"

namespace fp8q::test {

struct Element {
  double value;
  double slack = 0;  // what the order of a sum may change; infinite: the standard leaves it open
};

struct Defined {
  Shape shape;
  std::vector<Element> elements;
};

// Returns the first output of a node. An input that is left out is nullptr. Returns nullopt for
// operators that are not defined here, and for tensors that are large.
std::optional<Defined> define(const Node& node, int64_t opset,
                              const std::vector<const Tensor*>& inputs);

// Says where `found` is not what the definition gives, rounded to its type; empty if nowhere.
std::string difference(const Defined& defined, const Tensor& found);

}  // namespace fp8q::test
