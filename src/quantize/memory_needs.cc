#include "quantize/memory_needs.h"

#include <algorithm>
#include <set>

#include "base/memory_plan.h"
#include "base/threads.h"
#include "quantize/constants.h"

namespace fp8q {
namespace {

constexpr uint64_t kFloat = sizeof(float), kHalf = sizeof(Float16), kCode = 1;
constexpr uint64_t kGroup = 64;  // a std::vector, the head of its block, and its index
// Takes what is small: statistics, the plan, names, and fragments that the allocator cannot give
// back.
constexpr uint64_t kAllowance = uint64_t{8} << 20;

// Returns the elements of a stored constant, and 0 for any other value.
uint64_t elements_of(const std::optional<StoredConstant>& stored) {
  return stored ? static_cast<uint64_t>(stored->tensor.size()) : 0;
}

// Returns whether the value is a constant in FP32 itself. Otherwise its contents are a copy.
bool is_in_place(const GraphIndex& index, const std::string& value, const StoredConstant& stored) {
  return stored.tensor.dtype() == DType::f32 &&
         (index.initializer(value) || is_op(index.producer(value), "Constant"));
}

// Returns what planning an element of a weight takes: its values by groups, and later its code
// beside the decoded value. Observers other than absmax may have copies of a group.
uint64_t bytes_of_element(const SiteRequest& request, bool in_place) {
  const bool copies =
      request.observer.id != Observer::absmax && request.granularity == Granularity::tensor;
  return kFloat + kCode + (in_place ? 0 : kFloat) + (copies ? kFloat + kCode : 0);
}

// Returns how many scales a weight has along its input channels, and 0 if it has none there.
uint64_t block_scales(const SiteRequest& request, uint64_t elements) {
  using Kind = Granularity::Kind;
  const auto [kind, length] = request.granularity;
  if ((kind != Kind::block && kind != Kind::tile) || length <= 0) return 0;
  return elements / static_cast<uint64_t>(length) + 1;
}

}  // namespace

ConversionNeeds::ConversionNeeds(const GraphIndex& index, const std::vector<Site>& sites,
                                 const PlanRequest& request) {
  add_weights(index, sites, request);
  add_tables(index, request);
}

void ConversionNeeds::add_weights(const GraphIndex& index, const std::vector<Site>& sites,
                                  const PlanRequest& request) {
  std::set<std::string> seen;
  for (size_t i = 0; i < sites.size(); ++i) {
    const std::string& value = sites[i].value;
    const SiteRequest& asked = request.sites[i];
    if (sites[i].kind != SiteKind::weight || !asked.format) continue;
    const auto stored = stored_constant(index, value);
    const uint64_t elements = elements_of(stored);
    if (elements == 0) continue;
    const bool in_place = is_in_place(index, value, *stored) && !request.options.smooth_quant;
    const uint64_t scales = block_scales(asked, elements);
    each_ = std::max(each_, elements * bytes_of_element(asked, in_place) + scales * kGroup);
    // Codes are read back in place, wherever they stand in the file. The plan, the model and what
    // is read back have the scales.
    if (seen.insert(value).second) kept_ += elements * kCode + 3 * scales * kFloat;
  }
}

void ConversionNeeds::add_tables(const GraphIndex& index, const PlanRequest& request) {
  std::set<std::string> seen;
  for (const Node& node : index.graph().nodes) {
    if (!is_op(&node, "Gather") || node.inputs.empty() || !seen.insert(node.inputs[0]).second)
      continue;
    const auto stored = stored_constant(index, node.inputs[0]);
    const uint64_t elements = elements_of(stored);
    if (elements == 0) continue;
    const bool in_place = is_in_place(index, node.inputs[0], *stored);
    const uint64_t each = request.options.quantize_embeddings ? kCode : kHalf;
    kept_ += elements * each;
    read_back_ += elements * each;
    table_ = std::max(table_, elements * (each + kFloat + (in_place ? 0 : kFloat)));
  }
}

size_t ConversionNeeds::side_by_side() const {
  return MemoryPlan()
      .add("kept", kept_ + kAllowance)
      .side_by_side(each_, static_cast<size_t>(threads()));
}

void ConversionNeeds::require(const std::string& model) const {
  MemoryPlan()
      .add("for new codes and tables", kept_)
      .add("to make and to check them", std::max({side_by_side() * each_, table_, read_back_}))
      .add("for results", kAllowance)
      .require(model, "keep some Sites in floating point with --site 'PATTERN=float'");
}

}  // namespace fp8q
