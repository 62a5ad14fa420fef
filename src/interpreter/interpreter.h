// Reference execution of any graph whose operators are in ops.def: plain loops, obviously right.
//
// The oracle for the engine and the fallback for graphs that are not recognized as an encoder. Q/DQ
// nodes are executed literally, as the ONNX standard defines them; sums are formed in double and
// rounded once.
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
  // Checks that every operator and opset is supported (Error unsupported, naming every such
  // operator with a node, the opset and the remedy) and computes all nodes that depend on constants
  // only. Keeps a reference to the model.
  explicit Interpreter(const Model& model);

  // Called for every value a node makes, in execution order, before it is released. Values computed
  // at construction are not reported: see constant().
  using Watch = std::function<void(const std::string& value, const Tensor& tensor)>;

  // Asked for every input of every node before it runs: another tensor of the same type and shape
  // to be read there instead, or nullopt. Not asked for values computed at construction.
  using Substitute = std::function<std::optional<Tensor>(const Use& slot, const Tensor& value)>;

  // Executes the graph. Inputs are bound by name; a missing, unknown or wrongly typed one is an
  // Error (bad_data). The same Interpreter may run in several threads at once.
  std::map<std::string, Tensor> run(const std::map<std::string, Tensor>& inputs,
                                    const Watch& watch = nullptr,
                                    const Substitute& substitute = nullptr) const;

  // An initializer, or a value computed at construction that is read by a node of run() or is a
  // graph output; nullptr for all others.
  const Tensor* constant(const std::string& value) const;

 private:
  void fold_constants();
  void plan_releases();

  const Model* model_;
  std::map<std::string, Tensor> constants_;
  std::vector<bool> folded_;                              // per node: computed at construction
  std::vector<std::vector<std::string>> released_after_;  // per node: values not read any more
};

struct OperatorInfo {
  std::string domain;  // "" is the standard operator set
  std::string name;
  int64_t since;  // oldest opset
};

// Every operator that can be executed, in the order of ops.def.
std::vector<OperatorInfo> supported_operators();

}  // namespace fp8q
