#include "interpreter/operator.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/checked.h"
#include "interpreter/interpreter.h"

namespace fp8q {

#define FP8Q_OP(domain, name, since, most_inputs, infer, run) \
  Types infer(const OpContext&);                              \
  Tensors run(const OpContext&, const Types&);
#include "interpreter/ops.def"
#undef FP8Q_OP

namespace {

constexpr std::array kOperators = {
#define FP8Q_OP(domain, name, since, most_inputs, infer, run) \
  Operator{domain, name, since, most_inputs, infer, run},
#include "interpreter/ops.def"
#undef FP8Q_OP
};

// Returns why a node cannot be executed, or an empty text if it can.
std::string objection(const Model& model, const Node& node) {
  const Operator* op = find_operator(node.domain, node.op_type);
  if (!op) return "fp8q does not have this operator";
  if (node.domain.empty() && model.opset() < op->since)
    return fmt::format("the operator exists from opset {} on", op->since);
  return {};
}

}  // namespace

const Operand& OpContext::input(size_t i) const {
  if (!has(i)) reject("input {} is missing", i);
  return *inputs_[i];
}

const Tensor& OpContext::tensor(size_t i) const {
  const Operand& operand = input(i);
  if (operand.contents) return *operand.contents;
  if (!operand.knowable)
    refuse(
        "the shape of its output depends on the contents of \"{}\", which depend on the inputs "
        "of the model",
        printable(node_->inputs[i]));
  return **operand.knowable;
}

std::vector<int64_t> OpContext::ints(size_t i) const {
  const Tensor& t = tensor(i);
  if (t.dtype() != DType::i64 && t.dtype() != DType::i32)
    reject("input {} is {}, not int64 or int32", i, name(t.dtype()));
  const Tensor wide = t.to(DType::i64);
  const auto values = wide.data<int64_t>();
  return {values.begin(), values.end()};
}

std::optional<std::vector<int64_t>> OpContext::ints_since(int64_t since,
                                                          const std::string& attribute,
                                                          size_t i) const {
  if (opset_ >= since) return has(i) ? std::optional(ints(i)) : std::nullopt;
  if (!find_attribute(*node_, attribute)) return std::nullopt;
  return ints_attribute(*node_, attribute, {});
}

bool OpContext::all_contents_known() const {
  return std::ranges::all_of(inputs_,
                             [](const auto& i) { return !i || i->contents || i->knowable; });
}

std::span<const Operator> all_operators() { return kOperators; }

const Operator* find_operator(std::string_view domain, std::string_view name) {
  const auto it = std::ranges::find_if(
      kOperators, [&](const Operator& op) { return op.name == name && op.domain == domain; });
  return it == kOperators.end() ? nullptr : &*it;
}

void require_supported(const Model& model) {
  if (model.opset() > kNewestOpset)
    fail(ErrorCode::unsupported,
         "the model uses opset {}; fp8q knows opsets up to {}: export it with an older opset",
         model.opset(), kNewestOpset);
  std::set<std::string> seen;
  std::string list;
  bool only_standard = true;
  for (const Node& node : model.graph.nodes) {
    const std::string reason = objection(model, node);
    if (reason.empty() || !seen.insert(node.domain + "::" + node.op_type).second) continue;
    only_standard = only_standard && node.domain.empty();
    const auto imported = model.opsets.find(node.domain);
    list += fmt::format("{}{} (operator {}, opset {}, domain {}): {}", list.empty() ? "" : "; ",
                        describe(node), printable(node.op_type),
                        imported == model.opsets.end() ? 0 : imported->second,
                        node.domain.empty() ? "ai.onnx" : printable(node.domain), reason);
  }
  if (list.empty()) return;
  fail(ErrorCode::unsupported, "{}. {}", list,
       only_standard
           ? "`fp8q inspect --ops` lists the operators that it has; an export with another "
             "opset may do without the others"
           : "Export the model without operator fusion, in standard ONNX operators (for "
             "example `optimum-cli export onnx` without --optimize)");
}

int64_t opset_for(const Model& model, const Node& node) {
  // The few operators of other domains follow the newest rules of their standard relatives.
  return node.domain.empty() ? model.opset() : kNewestOpset;
}

Types infer(const OpContext& context) {
  const Node& node = context.node();
  const Operator* op = find_operator(node.domain, node.op_type);
  FP8Q_ASSERT(op);  // require_supported() was called before
  if (node.inputs.size() > op->most_inputs)
    context.reject("has {} inputs, the operator takes {}", node.inputs.size(), op->most_inputs);
  Types types = op->infer(context);
  if (node.outputs.size() > types.size())
    context.reject("has {} outputs, the operator makes {}", node.outputs.size(), types.size());
  for (const AbstractValue& type : types)
    if (!checked_elements(type.shape))
      fail(ErrorCode::limit, "{}: its output would have the shape {}, which fp8q cannot hold",
           describe(node), to_string(type.shape));
  return types;
}

MemoryBudget MemoryBudget::for_constants(const Model& model) {
  // Weights may be decoded from a quarter or half of their size, transposed and copied, with a new
  // tensor each time. Masks and positions fit into the rest.
  uint64_t weights = 0;
  for (const auto& [name, tensor] : model.graph.initializers) weights += tensor.nbytes();
  for (const Node& node : model.graph.nodes)
    for (const auto& [name, attribute] : node.attributes)
      if (const Tensor* tensor = std::get_if<Tensor>(&attribute)) weights += tensor->nbytes();
  return MemoryBudget((uint64_t{256} << 20) + 16 * weights);
}

void MemoryBudget::take(const OpContext& context, const Types& outputs) {
  for (const AbstractValue& type : outputs) {
    // Elements smaller than four bytes are computed in wider types, so they count as four.
    const auto counted = std::max<uint64_t>(element_size(type.dtype), 4);
    const auto bytes = checked_mul(static_cast<uint64_t>(elements(type.shape)), counted);
    if (!bytes || *bytes > kMaxTensorBytes || *bytes > bytes_)
      fail(ErrorCode::limit,
           "{}: its output of type {} and shape {} would take more memory than fp8q allows it "
           "({} MB of {})",
           describe(context.node()), name(type.dtype), to_string(type.shape),
           std::min(bytes_, kMaxTensorBytes) >> 20, kMaxTensorBytes >> 20);
    bytes_ -= *bytes;
  }
}

Tensors execute(const OpContext& context, const Types& outputs, MemoryBudget& budget) {
  const Node& node = context.node();
  budget.take(context, outputs);
  Tensors tensors = find_operator(node.domain, node.op_type)->run(context, outputs);
  FP8Q_ASSERT(tensors.size() == outputs.size());
  for (size_t i = 0; i < tensors.size(); ++i)
    FP8Q_ASSERT(tensors[i].dtype() == outputs[i].dtype && tensors[i].shape() == outputs[i].shape);
  return tensors;
}

}  // namespace fp8q
