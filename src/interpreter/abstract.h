// What can be known about every value of a graph from the shapes of its inputs alone.
//
// Each value gets its type and shape; values that do not depend on the contents of the inputs
// (constants, everything computed from shapes) also get their contents. Recognizing an encoder and
// planning memory rest on this: it runs no product of activations.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "graph/model.h"

namespace fp8q {

// Contents, where they are known: a tensor, or a way to make it, taken when they are first looked
// at. A decoded weight takes time and four times its memory, and most questions about a graph need
// none of them. Copies share the result; looking is not for several threads at once.
class Contents {
 public:
  Contents() = default;
  Contents(std::nullopt_t) {}
  Contents(Tensor tensor) : state_(std::make_shared<State>(State{std::move(tensor), nullptr})) {}
  static Contents later(std::function<Tensor()> compute);

  explicit operator bool() const { return state_ != nullptr; }  // they are known
  bool is_made() const { return state_ && !state_->compute; }
  const Tensor& operator*() const;
  const Tensor* operator->() const { return &**this; }
  void reset() { state_.reset(); }

 private:
  struct State {
    Tensor tensor;
    std::function<Tensor()> compute;  // empty once it is done
  };
  std::shared_ptr<State> state_;
};

struct AbstractValue {
  DType dtype = DType::f32;
  Shape shape;
  Contents contents;  // of the type and shape above
};

using AbstractValues = std::unordered_map<std::string, AbstractValue>;

// The model must outlive the values. `input_shapes` must give a shape for every graph input.
// Operators the interpreter does not have are an Error (unsupported) naming node, operator and
// opset.
AbstractValues evaluate_abstractly(const Model& model,
                                   const std::map<std::string, Shape>& input_shapes);

// A shape for every graph input: `batch` and `sequence` where the model leaves the first and second
// dimension open, and for an input without a shape.
std::map<std::string, Shape> input_shapes_for(const Model& model, int64_t batch, int64_t sequence);

}  // namespace fp8q
