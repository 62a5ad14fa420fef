// An operator of the interpreter has two functions: a rule for the types of its outputs, and an
// execution. Its row in ops.def also says what its nodes must have, and how much work they are.
//
// The rule sees the types and shapes of the inputs, and their contents if they are known. The
// execution gets the rule's answer, so that no shape is computed twice. The operators themselves
// are in ops/, in one file each, and are listed in ops.def.
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
#include "interpreter/signature.h"

namespace fp8q {

// This is the newest version of the standard operator set whose rules are implemented.
inline constexpr int64_t kNewestOpset = 27;

// Describes one input of a node. Both pointers are nullptr if only type and shape are known.
struct Operand {
  DType dtype;
  Shape shape;
  const Tensor* contents = nullptr;
  const Contents* knowable = nullptr;  // contents that may have to be computed first
};

class OpContext {
 public:
  // An omitted input is nullopt.
  OpContext(const Node& node, int64_t opset, std::vector<std::optional<Operand>> inputs)
      : node_(&node), opset_(opset), inputs_(std::move(inputs)) {}

  const Node& node() const { return *node_; }
  int64_t opset() const { return opset_; }
  size_t input_count() const { return inputs_.size(); }
  size_t output_count() const { return node_->outputs.size(); }
  bool has(size_t i) const { return i < inputs_.size() && inputs_[i].has_value(); }
  // Returns an input. Throws an Error (bad_model) if it is omitted.
  const Operand& input(size_t i) const;
  // Returns the contents of an input. Throws an Error (unsupported) if they are unknown.
  const Tensor& tensor(size_t i) const;
  // Returns the contents of an int32 or int64 input.
  std::vector<int64_t> ints(size_t i) const;
  // Returns a list that was the attribute `name` before opset `since` and is input `i` from then
  // on. Returns nullopt if it is omitted.
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

  // Reports that the model breaks a rule of the operator.
  template <typename... Args>
  [[noreturn]] void reject(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::bad_model, "{}: {}", describe(*node_),
         fmt::format(format, std::forward<Args>(args)...));
  }
  // Reports that the model is valid but this case is not implemented.
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

// Holds a row of ops.def.
struct Operator {
  std::string_view domain;
  std::string_view name;
  int64_t since;
  Signature signature;
  uint64_t (*work)(const OpContext&, const Types&);
  Types (*infer)(const OpContext&);
  Tensors (*run)(const OpContext&, const Types&);
};

// Returns the row that holds for a version of the operator set, or nullptr if there is none.
const Operator* find_operator(std::string_view domain, std::string_view name, int64_t opset);
std::span<const Operator> all_operators();  // sorted by domain, name and opset

// Throws an Error (unsupported) that lists every operator of the model that ops.def does not have,
// or an Error (bad_model) that names a node without the operands and attributes of its operator.
void require_supported(const Model& model);

// Returns the version of the operator set whose rules apply to a node.
int64_t opset_for(const Model& model, const Node& node);

// Returns the types of the outputs: valid shapes of at most kMaxRank dimensions, and one for each
// output of the node. The node must have passed require_supported().
Types infer(const OpContext& context);

class Budget;

// Executes a node whose inputs all have contents, and takes what that costs from the budget.
// `outputs` is the result of infer().
Tensors execute(const OpContext& context, const Types& outputs, Budget& budget);
// Does the same for a node that a budget has already paid for.
Tensors execute(const OpContext& context, const Types& outputs);

}  // namespace fp8q
