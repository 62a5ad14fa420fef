#include "interpreter/memory_needs.h"

#include <algorithm>
#include <unordered_map>

#include "interpreter/abstract.h"

namespace fp8q {
namespace {

uint64_t result_bytes(const AbstractValue& value) {
  return static_cast<uint64_t>(elements(value.shape)) * element_size(value.dtype);
}

// Operators form their results in double, and read inputs of other types than float as float.
uint64_t scratch_of(const AbstractValue& value, bool is_result) {
  const auto count = static_cast<uint64_t>(elements(value.shape));
  if (is_result) return count * sizeof(double);
  return value.dtype == DType::f32 ? 0 : count * sizeof(float);
}

// Follows the values of a run from the node that makes them to the last one that reads them.
class Run {
 public:
  Run(const Model& model, const AbstractValues& values) : model_(model), values_(values) {
    const auto& nodes = model.graph.nodes;
    for (size_t n = 0; n < nodes.size(); ++n)
      for (const std::string& input : nodes[n].inputs) last_reader_[input] = n;
    for (const ValueInfo& output : model.graph.outputs) last_reader_[output.name] = nodes.size();
  }

  InterpreterNeeds needs() {
    const auto& nodes = model_.graph.nodes;
    for (size_t n = 0; n < nodes.size(); ++n) pass(nodes[n], n);
    return needs_;
  }

 private:
  void pass(const Node& node, size_t n) {
    uint64_t scratch = 0;
    for (const std::string& output : node.outputs) {
      const AbstractValue* value = find(output);
      if (!value) continue;
      if (value->contents) {
        needs_.constants += result_bytes(*value);
        continue;
      }
      alive_ += result_bytes(*value);
      scratch += scratch_of(*value, true);
    }
    for (const std::string& input : node.inputs)
      if (const AbstractValue* value = find(input)) scratch += scratch_of(*value, false);
    needs_.run = std::max(needs_.run, alive_ + scratch);
    release(node.inputs, n);
    release(node.outputs, n);
  }

  // Values that no node reads are released where they are made.
  void release(const std::vector<std::string>& names, size_t n) {
    for (const std::string& name : names) {
      const auto last = last_reader_.find(name);
      if (last != last_reader_.end() && last->second != n) continue;
      const AbstractValue* value = find(name);
      if (!value || value->contents || is_given(name)) continue;
      alive_ -= std::min(alive_, result_bytes(*value));
      last_reader_[name] = model_.graph.nodes.size();  // once
    }
  }

  bool is_given(const std::string& name) const {
    return std::ranges::any_of(model_.graph.inputs,
                               [&](const ValueInfo& input) { return input.name == name; });
  }
  const AbstractValue* find(const std::string& name) const {
    const auto at = values_.find(name);
    return at == values_.end() ? nullptr : &at->second;
  }

  const Model& model_;
  const AbstractValues& values_;
  std::unordered_map<std::string, size_t> last_reader_;  // by value; an output is read at the end
  uint64_t alive_ = 0;
  InterpreterNeeds needs_;
};

}  // namespace

InterpreterNeeds interpreter_needs(const Model& model,
                                   const std::map<std::string, Shape>& input_shapes) {
  return Run(model, evaluate_abstractly(model, input_shapes)).needs();
}

}  // namespace fp8q
