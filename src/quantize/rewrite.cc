#include "quantize/rewrite.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/memory_plan.h"
#include "base/threads.h"
#include "graph/token_rounding.h"
#include "quantize/constants.h"
#include "quantize/insertions.h"
#include "quantize/manifest.h"
#include "quantize/plan_smoothing.h"
#include "quantize/tables.h"
#include "quantize/weights.h"

namespace fp8q {
namespace {

// Holds the Sites of one value that get the same quantized tensor.
struct Group {
  const SitePlan* plan;
  bool operand;  // whether the value is an operand of products
  std::vector<Use> uses;
  Tensor codes;  // for weights only
};

bool same_tensor(const SitePlan& a, const SitePlan& b) {
  return a.value == b.value && a.kind == b.kind && a.format == b.format && a.axis == b.axis &&
         a.scales == b.scales && a.factors == b.factors;
}

std::vector<Group> groups_of(const std::vector<Site>& sites, const Plan& plan) {
  std::vector<Group> groups;
  for (size_t i = 0; i < sites.size(); ++i) {
    const SitePlan& site = plan.sites[i];
    if (!site.quantized()) continue;
    auto group =
        std::ranges::find_if(groups, [&](const Group& g) { return same_tensor(*g.plan, site); });
    if (group == groups.end())
      group = groups.insert(groups.end(), Group{&site, is_operand(sites[i].role), {}, {}});
    group->uses.insert(group->uses.end(), site.uses.begin(), site.uses.end());
  }
  return groups;
}

// Returns how many weights can be quantized at the same time, so that the copies in FP32 that some
// of them need fit into memory beside all codes.
size_t weights_side_by_side(const GraphIndex& index, const std::vector<Group>& groups) {
  uint64_t codes = 0, largest = 0;
  for (const Group& group : groups) {
    if (group.plan->kind != SiteKind::weight) continue;
    const auto stored = stored_constant(index, group.plan->value);
    const auto elements = stored ? static_cast<uint64_t>(stored->tensor.size()) : 0;
    codes += elements;
    largest = std::max(largest, elements);
  }
  return MemoryPlan()
      .add("for codes", codes)
      .side_by_side(largest * sizeof(float), static_cast<size_t>(threads()));
}

struct QdqNames {
  std::string codes, scale, zero_point, result;
};

// Adds scale and zero point of the same shape: scalars, or one element per channel or block.
QdqNames add_parameters(const SitePlan& plan, const Shape& shape, Insertions& insertions) {
  QdqNames names;
  const Tensor scale = Tensor::of<float>(shape, plan.scales).to(plan.scale_dtype());
  names.scale = insertions.constant(plan.value + "/scale", scale);
  names.zero_point =
      insertions.constant(plan.value + "/zero_point", Tensor(dtype_of_format(plan.format), shape));
  names.result = insertions.name(plan.value + "/dequantized");
  return names;
}

struct Pair {
  Node quantize, dequantize;
};

Pair pair_of(const std::string& value, const QdqNames& names, std::string codes,
             std::string result) {
  return {make_node("QuantizeLinear", {value, names.scale, names.zero_point}, codes),
          make_node("DequantizeLinear", {std::move(codes), names.scale, names.zero_point},
                    std::move(result))};
}

std::string add_cast(const std::string& value, DType to, const char* suffix, size_t at,
                     Insertions& insertions) {
  std::string result = insertions.name(value + suffix);
  insertions.before(at, make_node("Cast", {value}, result, {{"to", static_cast<int64_t>(to)}}));
  return result;
}

// Returns the name of the value that is quantized for an activation that node `at` is the first to
// read: the activation itself, or its product with the factors of its channels.
std::string multiplied(const SitePlan& plan, size_t at, Insertions& insertions) {
  std::string value =
      plan.widened() ? add_cast(plan.value, DType::f32, "/wide", at, insertions) : plan.value;
  if (plan.factors.empty()) return value;
  const std::string factors = insertions.constant(
      plan.value + "/factors",
      Tensor::of<float>({static_cast<int64_t>(plan.factors.size())}, plan.factors));
  std::string result = insertions.name(plan.value + "/smoothed");
  insertions.before(at, make_node("Mul", {value, factors}, result));
  return result;
}

// Returns the rounded value in the type of the activation.
std::string narrowed(const SitePlan& plan, std::string rounded, size_t at, Insertions& insertions) {
  if (!plan.widened()) return rounded;
  return add_cast(rounded, plan.dtype, "/narrow", at, insertions);
}

// The slot of a residual sum may read the numbers under another name (behind a reshape). It then
// gets its own pair.
void add_residual(const SitePlan& plan, const QdqNames& names, Insertions& insertions) {
  if (!plan.residual) return;
  std::string& read = insertions.node(plan.residual->node).inputs[plan.residual->input];
  if (read == plan.value) {
    read = names.result;
    return;
  }
  const size_t at = plan.residual->node;
  std::string result = insertions.name(read + "/dequantized");
  Pair pair = pair_of(read, names, insertions.name(read + "/quantized"), result);
  read = std::move(result);
  insertions.before(at, std::move(pair.quantize));
  insertions.before(at, std::move(pair.dequantize));
}

// Holds the functions that the rewritten model defines: one for each format, made when first
// called.
using Functions = std::map<Format, LocalFunction>;

void add_token_rounding(const Group& group, Insertions& insertions, Functions& functions) {
  const SitePlan& plan = *group.plan;
  const size_t first = std::ranges::min_element(group.uses, {}, &Use::node)->node;
  const auto function = functions.try_emplace(plan.format, token_rounding(plan.format)).first;
  const std::string rounded = insertions.name(plan.value + "/rounded");
  insertions.call_before(first, function->second, multiplied(plan, first, insertions), rounded);
  const std::string result = narrowed(plan, rounded, first, insertions);
  for (const Use& use : group.uses) insertions.node(use.node).inputs[use.input] = result;
}

void define(Functions&& functions, Model& model) {
  for (auto& [format, function] : functions) {
    model.opsets[function.domain] = kFunctionVersion;
    model.functions.push_back(std::move(function));
  }
}

void add_operand(const Group& group, Insertions& insertions) {
  const SitePlan& plan = *group.plan;
  size_t first = std::ranges::min_element(group.uses, {}, &Use::node)->node;
  if (plan.residual) first = std::min(first, plan.residual->node);
  QdqNames names = add_parameters(plan, plan.axis.scale_shape(group.codes.shape()), insertions);
  std::map<std::string, Attribute> axis;
  if (plan.axis.axis) axis["axis"] = *plan.axis.axis;
  if (plan.axis.block) axis["block_size"] = plan.axis.block;
  if (plan.kind == SiteKind::weight) {
    names.codes = insertions.constant(plan.value + "/quantized", group.codes);
  } else {
    names.codes = insertions.name(plan.value + "/quantized");
    const std::string value = multiplied(plan, first, insertions);
    insertions.before(first, make_node("QuantizeLinear", {value, names.scale, names.zero_point},
                                       names.codes, axis));
  }
  insertions.before(first,
                    make_node("DequantizeLinear", {names.codes, names.scale, names.zero_point},
                              names.result, axis));
  names.result = narrowed(plan, names.result, first, insertions);
  for (const Use& use : group.uses) insertions.node(use.node).inputs[use.input] = names.result;
  add_residual(plan, names, insertions);
}

// Adds the pair of a value that enters no product.
void add_point(const Group& group, const GraphIndex& index, Insertions& insertions) {
  const SitePlan& plan = *group.plan;
  const auto producer = index.producer_index(plan.value);
  FP8Q_ASSERT(producer.has_value());
  QdqNames names = add_parameters(plan, {}, insertions);
  std::string value = plan.value;
  if (plan.output) {
    value = insertions.name(plan.value + "/float");
    std::ranges::replace(insertions.node(*producer).outputs, plan.value, value);
    names.result = plan.value;
  }
  names.codes = insertions.name(plan.value + "/quantized");
  Pair pair = pair_of(value, names, names.codes, names.result);
  insertions.after(*producer, std::move(pair.quantize));
  insertions.after(*producer, std::move(pair.dequantize));
  for (const Use& use : group.uses) insertions.node(use.node).inputs[use.input] = names.result;
}

void check_plan(const Model& source, const std::vector<Site>& sites, const Plan& plan) {
  FP8Q_ASSERT(source.opset() >= kConvertedOpset);
  FP8Q_ASSERT(sites.size() == plan.sites.size());
  for (size_t i = 0; i < sites.size(); ++i) FP8Q_ASSERT(sites[i].value == plan.sites[i].value);
}

}  // namespace

Model quantize_model(const Model& source, const std::vector<Site>& sites, const Plan& plan) {
  check_plan(source, sites, plan);
  const GraphIndex index(source.graph);
  std::vector<Group> groups = groups_of(sites, plan);
  const auto quantize_one = [&](size_t i) {
    const SitePlan& p = *groups[i].plan;
    if (p.kind != SiteKind::weight) return;
    groups[i].codes = quantized(planned_weight(index, p), p.format, p.axis, p.scales);
  };
  parallel_for(groups.size(), quantize_one, weights_side_by_side(index, groups));
  Model model = source;
  Insertions insertions(model.graph);
  for (const TablePlan& table : plan.tables) rewrite_table(index, table, insertions);
  Functions functions;
  for (const Group& group : groups) {
    if (!group.operand) add_point(group, index, insertions);
    else if (group.plan->per_token()) add_token_rounding(group, insertions, functions);
    else add_operand(group, insertions);
  }
  insertions.finish();
  define(std::move(functions), model);
  write_manifest(manifest_of(plan), model);
  return model;
}

}  // namespace fp8q
