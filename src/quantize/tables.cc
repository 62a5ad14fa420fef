#include "quantize/tables.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "quantize/constants.h"
#include "quantize/weights.h"

namespace fp8q {
namespace {

bool is_row_lookup(const Node& node) {
  return is_op(&node, "Gather") && node.inputs.size() == 2 && node.outputs.size() == 1 &&
         int_attribute(node, "axis", 0) == 0;
}

// Returns the contents, in float, of the table that a Gather reads, or nullopt if the value is no
// table.
std::optional<Tensor> table_contents(const GraphIndex& index, const std::string& value) {
  auto contents = constant_contents(index, value);
  if (!contents || contents->dtype() != DType::f32 || contents->rank() != 2 || contents->dim(0) < 2)
    return std::nullopt;
  return contents;
}

const Node* reader_that_is_no_lookup(const GraphIndex& index, const std::string& value) {
  for (const Use& use : index.uses(value)) {
    const Node& node = index.graph().nodes[use.node];
    if (use.input != 0 || !is_row_lookup(node)) return &node;
  }
  return nullptr;
}

void plan_float16(TablePlan& plan, const Tensor& table, DType stored) {
  if (stored == DType::bf16 || plan.dtype != DType::f32) {
    plan.reason = "is stored in 16 bits already";
    return;
  }
  const Tensor half = table.to(DType::f16);
  const Tensor back = half.to(DType::f32);
  if (std::ranges::any_of(back.data<float>(), [](float x) { return std::isinf(x); })) {
    plan.reason = "has values beyond the range of float16 (65504)";
    return;
  }
  plan.storage = TableStorage::float16;
  plan.sqnr_db = sqnr_db(table, back);
  plan.reason = stored == DType::f16 ? "is stored as float16 already; widened after the lookup"
                                     : "stored as float16, widened after the lookup";
}

void plan_rows(TablePlan& plan, const Tensor& table) {
  WeightScales scales = absmax_scales(table, kTableFormat, 0);
  plan.storage = TableStorage::quantized_rows;
  plan.scales = std::move(scales.scales);
  for (float& scale : plan.scales) scale = storable_scale(scale, plan.dtype);
  plan.absmax = scales.absmax;
  plan.zero_rows = scales.zero_channels;
  const Tensor codes = quantized(table, kTableFormat, 0, plan.scales);
  plan.sqnr_db = sqnr_db(table, dequantized(codes, kTableFormat, 0, plan.scales));
  plan.reason = "absmax of each row";
}

void rewrite_as_float16(const TablePlan& plan, const StoredConstant& stored, const Tensor& table,
                        Insertions& insertions) {
  const Tensor half_table = table.to(DType::f16);
  const bool reuse = !stored.initializer.empty() && identical(stored.tensor, half_table);
  const std::string name =
      reuse ? stored.initializer : insertions.constant(plan.value + "/float16", half_table);
  for (const size_t n : plan.gathers) {
    Node& gather = insertions.node(n);
    const std::string result = gather.outputs[0];
    const std::string half = insertions.name(result + "/float16");
    gather.inputs[0] = name;
    gather.outputs[0] = half;
    insertions.after(n,
                     make_node("Cast", {half}, result, {{"to", static_cast<int64_t>(DType::f32)}}));
  }
}

void rewrite_as_rows(const TablePlan& plan, const Tensor& table, Insertions& insertions) {
  const auto rows = static_cast<int64_t>(plan.scales.size());
  const std::string codes = insertions.constant(plan.value + "/quantized",
                                                quantized(table, kTableFormat, 0, plan.scales));
  const std::string scales = insertions.constant(
      plan.value + "/scale", Tensor::of<float>({rows}, plan.scales).to(plan.dtype));
  const std::string last_axis =
      insertions.constant(plan.value + "/scale_axis", Tensor::of<int64_t>({1}, {-1}));
  for (const size_t n : plan.gathers) {
    Node& gather = insertions.node(n);
    const std::string ids = gather.inputs[1];
    const std::string result = gather.outputs[0];
    const auto add = [&](const char* op_type, std::vector<std::string> inputs, const char* suffix,
                         std::map<std::string, Attribute> attributes = {}) {
      std::string output = insertions.name(result + suffix);
      insertions.after(n, make_node(op_type, std::move(inputs), output, std::move(attributes)));
      return output;
    };
    const std::string row_codes = insertions.name(result + "/quantized");
    gather.inputs[0] = codes;
    gather.outputs[0] = row_codes;
    const std::string values =
        add("Cast", {row_codes}, "/values", {{"to", static_cast<int64_t>(plan.dtype)}});
    const std::string row_scales = add("Gather", {scales, ids}, "/scale", {{"axis", int64_t{0}}});
    const std::string column = add("Unsqueeze", {row_scales, last_axis}, "/scale_column");
    insertions.after(n, make_node("Mul", {values, column}, result));
  }
}

}  // namespace

std::vector<TablePlan> plan_tables(const GraphIndex& index, bool quantize_rows) {
  std::vector<TablePlan> plans;
  const auto& nodes = index.graph().nodes;
  for (size_t n = 0; n < nodes.size(); ++n) {
    if (!is_row_lookup(nodes[n])) continue;
    const std::string& value = nodes[n].inputs[0];
    const auto known = std::ranges::find(plans, value, &TablePlan::value);
    if (known != plans.end()) {
      known->gathers.push_back(n);
      continue;
    }
    const auto table = table_contents(index, value);
    if (!table) continue;
    check_finite(*table, value);
    TablePlan plan;
    plan.value = value;
    plan.dtype = *constant_type(index, value);
    plan.gathers = {n};
    if (const Node* other = reader_that_is_no_lookup(index, value))
      plan.reason = fmt::format("is also read by {}", describe(*other));
    else if (quantize_rows) plan_rows(plan, *table);
    else plan_float16(plan, *table, stored_constant(index, value)->tensor.dtype());
    plans.push_back(std::move(plan));
  }
  return plans;
}

void rewrite_table(const GraphIndex& index, const TablePlan& plan, Insertions& insertions) {
  if (plan.storage == TableStorage::unchanged) return;
  const auto table = table_contents(index, plan.value);
  const auto stored = stored_constant(index, plan.value);
  FP8Q_ASSERT(table && stored);
  if (plan.storage == TableStorage::float16) rewrite_as_float16(plan, *stored, *table, insertions);
  else rewrite_as_rows(plan, *table, insertions);
}

}  // namespace fp8q
