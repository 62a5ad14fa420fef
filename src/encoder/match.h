// These are tools for the matchers: a model seen at two input shapes, and pieces of the model run
// on their own.
//
// A matcher walks backwards from a value to the nodes that made it. Exporters write some functions
// in many ways (layer norm, GELU, masks, positions). For these, the piece of graph is cut out, run
// by the interpreter on chosen inputs, and compared with the function. It then does not matter how
// the function was written.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"
#include "interpreter/abstract.h"

namespace fp8q::match {

// Matchers throw this if the graph is something else. Only recognize_encoder() catches it.
struct Mismatch {
  std::string reason;
};

template <typename... Args>
[[noreturn]] void differ(fmt::format_string<Args...> format, Args&&... args) {
  throw Mismatch{fmt::format(format, std::forward<Args>(args)...)};
}

// Holds the facts known about every value for one choice of batch and sequence length.
struct Probe {
  std::map<std::string, Shape> input_shapes;
  AbstractValues values;
  int64_t batch = 0;
  int64_t sequence = 0;
};

class View {
 public:
  // Evaluates the model abstractly at two shapes, or at one if its inputs are fixed. `widened` says
  // that its constants were rounded to 16 bits before (widen.h).
  explicit View(const Model& model, bool widened = false);

  const Model& model() const { return *model_; }
  bool is_widened() const { return widened_; }
  const Node& node(size_t i) const { return model_->graph.nodes[i]; }
  const GraphIndex& index() const { return index_; }
  std::span<const Probe> probes() const { return probes_; }

  const Node* producer(const std::string& value) const { return index_.producer(value); }
  // Returns the position of the producer in the order of execution; -1 for inputs and initializers.
  int64_t position(const std::string& value) const;
  bool is_graph_input(const std::string& value) const { return inputs_.contains(value); }

  // Return the shape and the type at the first probe.
  const Shape& shape(const std::string& value) const;
  DType dtype(const std::string& value) const;
  // Returns whether contents() and constant() return something. Asking costs nothing.
  bool is_known(const std::string& value, size_t probe = 0) const;
  bool is_constant(const std::string& value) const;
  // Returns the contents at one probe; nullptr if they depend on the contents of graph inputs.
  const Tensor* contents(const std::string& value, size_t probe = 0) const;
  // Returns contents that are the same at every probe, and so do not depend on input shapes either.
  const Tensor* constant(const std::string& value) const;
  // Returns the value of a constant with one element.
  std::optional<double> scalar(const std::string& value) const;

  // Looks back through nodes that change nothing: Identity, Dropout, Cast to the same type.
  std::string plain(std::string value) const;
  // Also looks back through reshapes that keep the last dimension, so that the rows and their order
  // stay.
  std::string rows(std::string value) const;
  // Returns the name of a value's producer for messages.
  std::string where(const std::string& value) const;

 private:
  const Model* model_;
  bool widened_;
  GraphIndex index_;
  std::set<std::string> inputs_;
  std::vector<Probe> probes_;
};

using Tensors = std::map<std::string, Tensor>;

// Holds the nodes between `given` values (and contents known at the probe) and `output`, in
// ascending order.
struct Cone {
  std::vector<size_t> nodes;
  std::set<std::string> known;  // leaves whose contents are known
  std::set<std::string> open;   // leaves that are graph inputs
};

// Returns nullopt if `output` depends on a node that `allowed` refuses.
template <typename Allowed>
std::optional<Cone> cone(const View& view, size_t probe, const std::string& output,
                         const std::set<std::string>& given, Allowed allowed) {
  Cone found;
  std::set<size_t> nodes;
  std::set<std::string> seen;
  std::vector<std::string> pending = {output};
  while (!pending.empty()) {
    const std::string value = std::move(pending.back());
    pending.pop_back();
    if (value.empty() || given.contains(value) || !seen.insert(value).second) continue;
    if (view.is_known(value, probe)) {
      found.known.insert(value);
    } else if (view.is_graph_input(value)) {
      found.open.insert(value);
    } else {
      const auto producer = view.index().producer_index(value);
      if (!producer || !allowed(view.node(*producer))) return std::nullopt;
      nodes.insert(*producer);
      const auto& inputs = view.node(*producer).inputs;
      pending.insert(pending.end(), inputs.begin(), inputs.end());
    }
  }
  found.nodes.assign(nodes.begin(), nodes.end());
  return found;
}

// Runs the nodes of a cone on `given`, which must also hold the cone's open inputs.
Tensor run(const View& view, size_t probe, const Cone& cone, const std::string& output,
           const Tensors& given);

// Runs a chain of nodes. The first input of each node is the result of the previous one, whose
// output `outputs[i]` is passed on. Other inputs must be known at the first probe.
struct Link {
  size_t node;
  size_t output;
};
Tensor run_chain(const View& view, std::span<const Link> chain, const Tensor& input);

bool is_movement(const Node& node);     // Reshape, Transpose, Slice, Gather, ... on the first input
bool is_elementwise(const Node& node);  // one element of the result from one element of each input

}  // namespace fp8q::match
