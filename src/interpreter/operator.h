// An operator of the interpreter has two functions: a rule for the types of its outputs, and an
// execution.
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

inline constexpr size_t kAnyNumber = SIZE_MAX;

struct Operator {
  std::string_view domain;
  std::string_view name;
  int64_t since;
  size_t most_inputs;
  Types (*infer)(const OpContext&);
  Tensors (*run)(const OpContext&, const Types&);
};

// Returns nullptr if ops.def has no row for it.
const Operator* find_operator(std::string_view domain, std::string_view name);
std::span<const Operator> all_operators();

// Throws an Error (unsupported) that lists every operator of the model that ops.def does not have.
void require_supported(const Model& model);

// Returns the version of the operator set whose rules apply to a node.
int64_t opset_for(const Model& model, const Node& node);

// Returns the types of the outputs: valid shapes, and one for each output of the node.
Types infer(const OpContext& context);

// Limits the memory that executing nodes may take: a model of a few bytes must not ask for
// gigabytes.
class MemoryBudget {
 public:
  // Returns the budget for everything that is computed from constants and kept.
  static MemoryBudget for_constants(const Model& model);
  // Returns the budget for the outputs of one node.
  static MemoryBudget for_one_node() { return MemoryBudget(kMaxTensorBytes); }
  static constexpr uint64_t kMaxTensorBytes = uint64_t{1} << 31;

  // Subtracts what the outputs need. Throws an Error (limit) that names the node if they do not
  // fit.
  void take(const OpContext& context, const Types& outputs);

 private:
  explicit MemoryBudget(uint64_t bytes) : bytes_(bytes) {}
  uint64_t bytes_;
};

// Executes a node whose inputs all have contents. `outputs` is the result of infer().
Tensors execute(const OpContext& context, const Types& outputs, MemoryBudget& budget);

}  // namespace fp8q
