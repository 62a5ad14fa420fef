// What can be known about every value of a graph from the shapes of its inputs alone.
//
// Each value gets its type and shape; values that do not depend on the contents of the inputs
// (constants, everything computed from shapes) also get their contents. Recognising an encoder and
// planning memory rest on this: it runs no product of activations.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "graph/model.h"

namespace fp8q {

struct AbstractValue {
  DType dtype = DType::f32;
  Shape shape;
  std::optional<Tensor> contents;  // known contents; its type and shape are the ones above
};

using AbstractValues = std::unordered_map<std::string, AbstractValue>;

// `input_shapes` must give a shape for every graph input. Operators the interpreter does not have
// are an Error (unsupported) naming node, operator and opset.
AbstractValues evaluate_abstractly(const Model& model,
                                   const std::map<std::string, Shape>& input_shapes);

// A shape for every graph input: `batch` and `sequence` where the model leaves the first and second
// dimension open, and for an input without a shape.
std::map<std::string, Shape> input_shapes_for(const Model& model, int64_t batch, int64_t sequence);

}  // namespace fp8q
