#include "interpreter/operator.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "interpreter/budget.h"
#include "interpreter/work.h"

namespace fp8q {

#define FP8Q_OP(domain, name, since, least_inputs, most_inputs, most_outputs, attributes, work, \
                infer, run)                                                                     \
  Types infer(const OpContext&);                                                                \
  Tensors run(const OpContext&, const Types&);
#include "interpreter/ops.def"
#undef FP8Q_OP

namespace {

// These are the words of the column of required attributes.
constexpr RequiredAttribute integer(std::string_view name) {
  return {name, AttributeType::integer};
}
constexpr RequiredAttribute text(std::string_view name) { return {name, AttributeType::text}; }
constexpr RequiredAttribute integers(std::string_view name) {
  return {name, AttributeType::integers};
}
constexpr std::array<RequiredAttribute, 2> needs(RequiredAttribute first = {},
                                                 RequiredAttribute second = {}) {
  return {first, second};
}

constexpr std::array kOperators = {
#define FP8Q_OP(domain, name, since, least_inputs, most_inputs, most_outputs, attributes, work, \
                infer, run)                                                                     \
  Operator{domain,         name,  since, {least_inputs, most_inputs, most_outputs, attributes}, \
           work_of_##work, infer, run},
#include "interpreter/ops.def"
#undef FP8Q_OP
};

constexpr auto key(const Operator& op) { return std::tuple(op.domain, op.name, op.since); }
static_assert(std::ranges::is_sorted(kOperators, {}, key), "find_operator() searches by halves");

const Operator& operator_of(const OpContext& context) {
  const Node& node = context.node();
  const Operator* op = find_operator(node.domain, node.op_type, context.opset());
  FP8Q_ASSERT(op);  // require_supported() was called before
  return *op;
}

// Returns why a node cannot be executed, or an empty text if it can.
std::string objection(const Model& model, const Node& node) {
  if (find_operator(node.domain, node.op_type, opset_for(model, node))) return {};
  const auto row = std::ranges::find_if(kOperators, [&](const Operator& op) {
    return op.name == node.op_type && op.domain == node.domain;
  });
  if (row == kOperators.end()) return "fp8q does not have this operator";
  return fmt::format("the operator exists from opset {} on", row->since);
}

void require_signatures(const Model& model) {
  for (const Node& node : model.graph.nodes) {
    const Operator* op = find_operator(node.domain, node.op_type, opset_for(model, node));
    const std::string problem = violation(op->signature, node);
    if (!problem.empty()) fail(ErrorCode::bad_model, "{}: {}", describe(node), problem);
  }
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

std::optional<std::vector<int64_t>> OpContext::ints_since(int64_t since, const std::string& name,
                                                          size_t i) const {
  if (opset_ >= since) return has(i) ? std::optional(ints(i)) : std::nullopt;
  if (!find_attribute(*node_, name)) return std::nullopt;
  return ints_attribute(*node_, name, {});
}

bool OpContext::all_contents_known() const {
  return std::ranges::all_of(inputs_,
                             [](const auto& i) { return !i || i->contents || i->knowable; });
}

std::span<const Operator> all_operators() { return kOperators; }

const Operator* find_operator(std::string_view domain, std::string_view name, int64_t opset) {
  const auto after = std::ranges::upper_bound(kOperators, std::tuple(domain, name, opset), {}, key);
  if (after == kOperators.begin()) return nullptr;
  const Operator& row = *std::prev(after);
  return row.domain == domain && row.name == name ? &row : nullptr;
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
  if (list.empty()) return require_signatures(model);
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
  Types types = operator_of(context).infer(context);
  if (node.outputs.size() > types.size())
    context.reject("has {} outputs, the operator makes {}", node.outputs.size(), types.size());
  for (const AbstractValue& type : types)
    if (type.shape.size() > kMaxRank || !checked_elements(type.shape))
      fail(ErrorCode::limit, "{}: its output would have the shape {}, which fp8q cannot hold",
           describe(node), to_string(type.shape));
  return types;
}

Tensors execute(const OpContext& context, const Types& outputs, Budget& budget) {
  budget.take(context, outputs, operator_of(context).work(context, outputs));
  return execute(context, outputs);
}

Tensors execute(const OpContext& context, const Types& outputs) {
  Tensors tensors;
  // Loops over the dimensions that are not zero might not end.
  if (std::ranges::all_of(outputs, [](const auto& type) { return elements(type.shape) == 0; }))
    for (const AbstractValue& type : outputs) tensors.emplace_back(type.dtype, type.shape);
  else tensors = operator_of(context).run(context, outputs);
  FP8Q_ASSERT(tensors.size() == outputs.size());
  for (size_t i = 0; i < tensors.size(); ++i)
    FP8Q_ASSERT(tensors[i].dtype() == outputs[i].dtype && tensors[i].shape() == outputs[i].shape);
  return tensors;
}

}  // namespace fp8q
