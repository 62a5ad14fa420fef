#include "quantize/products.h"

#include <algorithm>

#include "base/error.h"
#include "quantize/constants.h"

namespace fp8q {
namespace {

struct Chooser {
  const GraphIndex& index;
  const std::vector<Site>& sites;
  const Recipe& recipe;
  bool quantize_head;
  bool recognised;

  std::string reason_of_role(SiteRole role) const {
    if (role == SiteRole::head)
      return quantize_head ? ""
                           : "the head stays in floating point unless --quantize-head is given";
    if (recipe.roles & role_bit(role)) return "";
    return fmt::format("recipe {} does not quantise this product", recipe.name);
  }

  // Why the product stays in floating point; empty where it does not.
  std::string float_reason(const Product& product) const {
    int weights = 0;
    bool probabilities = false;
    for (const int i : product.operands) {
      if (i < 0) return "the other operand of the product is no Site";
      const Site& site = sites[static_cast<size_t>(i)];
      if (site.kind == SiteKind::weight) {
        ++weights;
        if (!constant_contents(index, site.value))
          return fmt::format("weight \"{}\" is computed in a way that is not followed",
                             printable(site.value));
        continue;
      }
      probabilities |= site.role == SiteRole::probabilities;
      if (!recognised) continue;
      if (auto reason = reason_of_role(site.role); !reason.empty()) return reason;
    }
    if (weights == 2) return "a product of two constants";
    if (!recognised && weights == 0 && !probabilities)
      return "a product of two activations outside a recognised encoder";
    return "";
  }
};

}  // namespace

std::map<size_t, Product> choose_products(const GraphIndex& index, const std::vector<Site>& sites,
                                          const Recipe& recipe, bool quantize_head) {
  std::map<size_t, Product> products;
  for (size_t i = 0; i < sites.size(); ++i)
    for (const Use& use : sites[i].uses) {
      FP8Q_ASSERT(use.node < index.graph().nodes.size() && use.input < 2);
      products[use.node].operands[use.input] = static_cast<int>(i);
    }
  const bool recognised = std::ranges::any_of(sites, [](const Site& site) {
    return site.role != SiteRole::other && site.role != SiteRole::probabilities;
  });
  const Chooser chooser{index, sites, recipe, quantize_head, recognised};
  for (auto& [node, product] : products) product.float_reason = chooser.float_reason(product);
  return products;
}

}  // namespace fp8q
