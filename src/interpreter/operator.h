// What an operator of the interpreter is: a rule for the types of its outputs, and an execution.
//
// The rule sees the types and shapes of the inputs, and their contents where they are known; the
// execution gets the rule's answer, so that no shape is computed twice. The operators themselves
// are in ops/, one file each, and are listed in ops.def.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"
#include "interpreter/abstract.h"

namespace fp8q {

// The newest version of the standard operator set whose rules were read.
inline constexpr int64_t kNewestOpset = 27;

// One input of a node. Both pointers are nullptr where only type and shape are known.
struct Operand {
  DType dtype;
  Shape shape;
  const Tensor* contents = nullptr;
  const Contents* knowable = nullptr;  // contents that may have to be computed first
};

class OpContext {
 public:
  // An input that is omitted is nullopt.
  OpContext(const Node& node, int64_t opset, std::vector<std::optional<Operand>> inputs)
      : node_(&node), opset_(opset), inputs_(std::move(inputs)) {}

  const Node& node() const { return *node_; }
  int64_t opset() const { return opset_; }
  size_t input_count() const { return inputs_.size(); }
  size_t output_count() const { return node_->outputs.size(); }
  bool has(size_t i) const { return i < inputs_.size() && inputs_[i].has_value(); }
  // Error (bad_model) where the input is omitted.
  const Operand& input(size_t i) const;
  // The contents of an input; Error (unsupported) where they are unknown.
  const Tensor& tensor(size_t i) const;
  // The contents of an int32 or int64 input.
  std::vector<int64_t> ints(size_t i) const;
  // A list that was the attribute `name` before opset `since` and is input `i` from it on; nullopt
  // where it is omitted.
  std::optional<std::vector<int64_t>> ints_since(int64_t since, const std::string& name,
                                                 size_t i) const;
  bool all_contents_known() const;

  int64_t int_attribute(const std::string& name, int64_t otherwise) const {
    return fp8q::int_attribute(*node_, name, otherwise);
  }
  float float_attribute(const std::string& name, float otherwise) const {
    return fp8q::float_attribute(*node_, name, otherwise);
  }
  std::string string_attribute(const std::string& name, std::string otherwise) const {
    return fp8q::string_attribute(*node_, name, std::move(otherwise));
  }

  // The model breaks a rule of the operator.
  template <typename... Args>
  [[noreturn]] void reject(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::bad_model, "{}: {}", describe(*node_),
         fmt::format(format, std::forward<Args>(args)...));
  }
  // The model is valid, but this case is not implemented.
  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::unsupported, "{}: {}", describe(*node_),
         fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  const Node* node_;
  int64_t opset_;
  std::vector<std::optional<Operand>> inputs_;
};

using Types = std::vector<AbstractValue>;
using Tensors = std::vector<Tensor>;

inline constexpr size_t kAnyNumber = SIZE_MAX;

struct Operator {
  std::string_view domain;
  std::string_view name;
  int64_t since;
  size_t most_inputs;
  Types (*infer)(const OpContext&);
  Tensors (*run)(const OpContext&, const Types&);
};

// nullptr where ops.def has no row for it.
const Operator* find_operator(std::string_view domain, std::string_view name);
std::span<const Operator> all_operators();

// Error (unsupported) listing every operator of the model that ops.def does not have.
void require_supported(const Model& model);

// The version of the operator set whose rules apply to a node.
int64_t opset_for(const Model& model, const Node& node);

// Types of the outputs, checked to be valid shapes and as many as the node has.
Types infer(const OpContext& context);

// How much memory executing nodes may take: a model of a few bytes must not ask for gigabytes.
class MemoryBudget {
 public:
  // For everything that is computed from constants, to be kept.
  static MemoryBudget for_constants(const Model& model);
  // For the outputs of one node.
  static MemoryBudget for_one_node() { return MemoryBudget(kMaxTensorBytes); }
  static constexpr uint64_t kMaxTensorBytes = uint64_t{1} << 31;

  // Takes what the outputs need; Error (limit) naming the node.
  void take(const OpContext& context, const Types& outputs);

 private:
  explicit MemoryBudget(uint64_t bytes) : bytes_(bytes) {}
  uint64_t bytes_;
};

// Executes a node all of whose inputs have contents; `outputs` is what infer() said.
Tensors execute(const OpContext& context, const Types& outputs, MemoryBudget& budget);

}  // namespace fp8q
