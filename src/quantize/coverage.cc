#include "quantize/coverage.h"

#include <algorithm>

#include "base/error.h"
#include "base/threads.h"
#include "quantize/constants.h"
#include "quantize/products.h"

namespace fp8q {
namespace {

// Counts the products that a request asks for and that read a weight.
struct Count {
  size_t asked = 0, quantized = 0;
  std::string refused;  // the first that cannot be quantized, with the reason
};

Count count_products(const Model& model, const std::vector<Site>& sites,
                     const PlanRequest& request) {
  Count count;
  const auto site_is = [&](int i, auto&& has) { return i >= 0 && has(static_cast<size_t>(i)); };
  const GraphIndex index(model.graph);
  for (const auto& [node, product] : choose_products(index, sites, request.sites)) {
    const auto is_weight = [&](int i) {
      return site_is(i, [&](size_t s) { return sites[s].kind == SiteKind::weight; });
    };
    const auto is_asked = [&](int i) {
      return site_is(i, [&](size_t s) { return request.sites[s].format.has_value(); });
    };
    if (std::ranges::none_of(product.operands, is_weight) ||
        !std::ranges::all_of(product.operands, is_asked))
      continue;
    ++count.asked;
    if (product.float_reason.empty()) ++count.quantized;
    else if (count.refused.empty())
      count.refused =
          fmt::format("{}: {}", describe(model.graph.nodes[node]), product.float_reason);
  }
  return count;
}

}  // namespace

void require_coverage(const Model& model, const std::vector<Site>& sites,
                      const PlanRequest& request, const std::string& where) {
  constexpr size_t kLeastShare = 10;  // one product in so many
  if (std::ranges::none_of(request.sites,
                           [](const SiteRequest& site) { return site.format.has_value(); }))
    fail(ErrorCode::unsupported, "{}: has no matrix product that can be quantized", where);
  const Count count = count_products(model, sites, request);
  if (count.quantized * kLeastShare < count.asked)
    fail(ErrorCode::unsupported,
         "{}: {} of the {} matrix products with a weight can be quantized. {}. Export the model "
         "with "
         "weights that are plain FP32 or FP16 initializers",
         where, count.quantized, count.asked, count.refused);
}

void check_weights(const Model& model, const std::vector<Site>& sites, const PlanRequest& request) {
  const GraphIndex index(model.graph);
  parallel_for(sites.size(), [&](size_t i) {
    if (sites[i].kind != SiteKind::weight || !request.sites[i].format) return;
    if (const auto weight = constant_contents(index, sites[i].value))
      check_weight(*weight, sites[i].value);
  });
}

}  // namespace fp8q
