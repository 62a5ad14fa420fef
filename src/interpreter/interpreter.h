// Executes any graph whose operators are in ops.def, as a reference, with plain loops that are
// obviously correct.
//
// The interpreter is the oracle for the engine, and the fallback for graphs that are not recognized
// as an encoder. It executes Q/DQ nodes literally, as the ONNX standard defines them. Sums are
// formed in double and rounded once.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace fp8q {

class Interpreter {
 public:
  // Checks that every operator and opset is supported. The Error (unsupported) names every operator
  // that is not, with a node, the opset and the remedy. The constructor computes all nodes that
  // depend on constants only. It keeps references to the models.
  explicit Interpreter(const Model& model) : Interpreter(model, model) {}
  // Executes a piece of `whole`, which may cost what the whole model may (budget.h). The piece may
  // hold tensors that were computed, and must not be allowed more for them.
  Interpreter(const Model& piece, const Model& whole);

  // Is called for every value that a node makes, in execution order, before the value is released.
  // Values computed at construction are not reported: see constant().
  using Watch = std::function<void(const std::string& value, const Tensor& tensor)>;

  // Is called for every input of every node before the node runs. Returns another tensor of the
  // same type and shape to be read instead, or nullopt. It is not called for values computed at
  // construction.
  using Substitute = std::function<std::optional<Tensor>(const Use& slot, const Tensor& value)>;

  // Executes the graph. Inputs are bound by name. A missing, unknown or wrongly typed input raises
  // an Error (bad_data). The same Interpreter may run in several threads at once.
  std::map<std::string, Tensor> run(const std::map<std::string, Tensor>& inputs,
                                    const Watch& watch = nullptr,
                                    const Substitute& substitute = nullptr) const;

  // Returns an initializer, or a value computed at construction that a node of run() reads or that
  // is a graph output. Returns nullptr for all other values.
  const Tensor* constant(const std::string& value) const;

 private:
  void fold_constants();
  void plan_releases();

  const Model* model_;
  const Model* whole_;
  std::map<std::string, Tensor> constants_;
  std::vector<bool> folded_;                              // per node: computed at construction
  std::vector<std::vector<std::string>> released_after_;  // per node: values no longer read
};

}  // namespace fp8q
