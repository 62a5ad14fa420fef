#include "quantize/plan_sizes.h"

#include <set>
#include <string>

#include "quantize/constants.h"

namespace fp8q {

PlanSizes sizes_of(const Plan& plan, const Model& source) {
  const GraphIndex index(source.graph);
  std::set<std::string> seen;
  const auto elements_of = [&](const std::string& value) -> uint64_t {
    const auto stored = stored_constant(index, value);
    if (!stored || (!stored->initializer.empty() && !seen.insert(stored->initializer).second))
      return 0;
    return static_cast<uint64_t>(stored->tensor.size());
  };
  PlanSizes sizes;
  for (const SitePlan& site : plan.sites) {
    if (site.kind != SiteKind::weight || !site.quantized()) continue;
    const uint64_t elements = elements_of(site.value);
    sizes.matrices_before += elements * sizeof(float);
    sizes.matrices_after += elements;
  }
  for (const TablePlan& table : plan.tables) {
    const auto stored = stored_constant(index, table.value);
    const uint64_t elements = elements_of(table.value);
    sizes.tables_before += elements * sizeof(float);
    sizes.tables_after += elements * (table.storage == TableStorage::quantized_rows ? 1
                                      : table.storage == TableStorage::float16
                                          ? sizeof(Float16)
                                          : element_size(stored->tensor.dtype()));
  }
  return sizes;
}

}  // namespace fp8q
