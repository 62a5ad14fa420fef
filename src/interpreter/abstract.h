// Finds what the shapes of a graph's inputs alone tell about every value.
//
// Each value gets its type and shape. Values that do not depend on the contents of the inputs
// (constants, everything computed from shapes) also get their contents. Recognizing an encoder and
// planning memory use this. It runs no product of activations.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "graph/model.h"

namespace fp8q {

// Holds known contents: a tensor, or a function that computes it on first access. Decoding a weight
// takes time and four times its memory, and most questions about a graph do not need the weights.
// Copies share the result. Access is not safe from several threads at once.
//
// The function may read other contents that are not made yet, and those others again. `links` is
// the length of this chain, which is walked recursively to compute it and to free it.
class Contents {
 public:
  Contents() = default;
  Contents(std::nullopt_t) {}
  Contents(Tensor tensor) : state_(std::make_shared<State>(State{std::move(tensor), nullptr, 0})) {}
  static Contents later(std::function<Tensor()> compute, size_t links);

  explicit operator bool() const { return state_ != nullptr; }  // whether the contents are known
  bool is_made() const { return state_ && !state_->compute; }
  size_t links() const { return state_ ? state_->links : 0; }  // 0 once the contents are made
  const Tensor& operator*() const;
  const Tensor* operator->() const { return &**this; }
  void reset() { state_.reset(); }

 private:
  struct State {
    Tensor tensor;
    std::function<Tensor()> compute;  // empty once it is done
    size_t links;
  };
  std::shared_ptr<State> state_;
};

struct AbstractValue {
  DType dtype = DType::f32;
  Shape shape;
  Contents contents;  // contents with the type and shape above
};

using AbstractValues = std::unordered_map<std::string, AbstractValue>;

// The model must outlive the values. `input_shapes` must give a shape for every graph input. Throws
// an Error (unsupported) that names node, operator and opset if the interpreter does not support an
// operator.
AbstractValues evaluate_abstractly(const Model& model,
                                   const std::map<std::string, Shape>& input_shapes);

// Returns a shape for every graph input. `batch` and `sequence` replace the first and second
// dimension if the model leaves them open, and are the shape of an input without one.
std::map<std::string, Shape> input_shapes_for(const Model& model, int64_t batch, int64_t sequence);

}  // namespace fp8q
