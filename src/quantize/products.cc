#include "quantize/products.h"

#include <algorithm>

#include "base/error.h"
#include "quantize/constants.h"

namespace fp8q {
namespace {

struct Chooser {
  const GraphIndex& index;
  const std::vector<Site>& sites;
  const std::vector<SiteRequest>& requests;
  bool recognized;

  const Site& site(int i) const { return sites[static_cast<size_t>(i)]; }
  const SiteRequest& request(int i) const { return requests[static_cast<size_t>(i)]; }

  // Returns why the product cannot be quantized, whatever is asked for.
  std::string obstacle(const Product& product) const {
    bool weights = false;
    bool probabilities = false;
    for (const int i : product.operands) {
      if (i < 0) return "the other operand of the product is no Site";
      probabilities |= site(i).role == SiteRole::probabilities;
      if (site(i).kind != SiteKind::weight) continue;
      weights = true;
      if (!constant_contents(index, site(i).value))
        return fmt::format("weight \"{}\" is computed in a way that is not followed",
                           printable(site(i).value));
    }
    if (!recognized && !weights && !probabilities)
      return "a product of two activations outside a recognized encoder";
    return "";
  }

  // Scales of the rows of x can be factored out of the sums of x W. Scales of W's rows, or of x's
  // columns, cannot.
  bool rows_can_have_scales(const Product& product) const {
    const auto per_token = [&](int i) { return request(i).granularity == Granularity::token; };
    const auto [a, b] = product.operands;
    if (!per_token(a) && !per_token(b)) return true;
    if (site(b).kind != SiteKind::weight) return false;
    const Node& node = index.graph().nodes[site(b).uses.front().node];  // a weight has one product
    return int_attribute(node, "transA", 0) == 0;
  }

  // Returns why the product stays in floating point, or an empty text if it does not.
  std::string float_reason(const Product& product) const {
    if (auto reason = obstacle(product); !reason.empty()) return reason;
    for (const int i : product.operands)
      if (!request(i).format)
        return fmt::format("the other operand, {}, stays in floating point",
                           printable(site(i).path));
    if (!rows_can_have_scales(product))
      return "a scale per token can be taken out of the product of an input with a weight only";
    const auto [a, b] = product.operands;
    const bool integer_a = info(*request(a).format).integer;
    if (integer_a != info(*request(b).format).integer)
      fail(ErrorCode::usage,
           "{} is to be {} and {} {}: no hardware multiplies INT8 with FP8; give both operands of "
           "a product formats of one kind, or float",
           printable(site(a).path), name_of(a), printable(site(b).path), name_of(b));
    return "";
  }

  std::string_view name_of(int i) const { return info(*request(i).format).name; }
};

void decide_together(const Site& input, std::map<size_t, Product>& products) {
  const auto is_float = [&](const Use& use) { return !products.at(use.node).float_reason.empty(); };
  const auto first = std::ranges::find_if(input.uses, is_float);
  if (first == input.uses.end()) return;
  const std::string reason = products.at(first->node).float_reason;
  for (const Use& use : input.uses)
    if (!is_float(use))
      products.at(use.node).float_reason =
          fmt::format("query, key and value run as one product, and of one of them {}", reason);
}

}  // namespace

std::map<size_t, Product> choose_products(const GraphIndex& index, const std::vector<Site>& sites,
                                          const std::vector<SiteRequest>& requests) {
  std::map<size_t, Product> products;
  for (size_t i = 0; i < sites.size(); ++i) {
    if (!is_operand(sites[i].role)) continue;
    for (const Use& use : sites[i].uses) {
      FP8Q_ASSERT(use.node < index.graph().nodes.size() && use.input < 2);
      products[use.node].operands[use.input] = static_cast<int>(i);
    }
  }
  const Chooser chooser{index, sites, requests, is_recognized(sites)};
  for (auto& [node, product] : products) product.float_reason = chooser.float_reason(product);
  for (const Site& site : sites)
    if (site.role == SiteRole::attention_input && site.kind == SiteKind::activation)
      decide_together(site, products);
  return products;
}

}  // namespace fp8q
