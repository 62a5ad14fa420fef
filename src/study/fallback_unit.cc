#include "study/fallback_unit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <span>

#include "base/assert.h"
#include "quantize/constants.h"

namespace fp8q {
namespace {

// Finds for every Site the first Site that it is joined with.
class Joined {
 public:
  explicit Joined(size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), 0); }
  size_t first(size_t site) const {
    while (parent_[site] != site) site = parent_[site];
    return site;
  }
  void join(size_t a, size_t b) {
    const size_t x = first(a), y = first(b);
    parent_[std::max(x, y)] = std::min(x, y);
  }

 private:
  std::vector<size_t> parent_;
};

// Each of the attention's products counts 2 values x tokens operations per token.
void count_work(const GraphIndex& index, const std::vector<Site>& sites, const UnitSizes& sizes,
                FallbackUnit& unit) {
  for (const size_t s : unit.sites) {
    const Site& site = sites[s];
    if (site.kind == SiteKind::weight) {
      const auto weight = constant_contents(index, site.value);
      if (weight) unit.weight_values += static_cast<uint64_t>(weight->size());
    }
    if (site.role == SiteRole::query || site.role == SiteRole::probabilities)
      if (site.kind == SiteKind::activation) unit.operations += 2 * sizes.tokens * sizes.hidden;
  }
  unit.operations += 2 * static_cast<double>(unit.weight_values);
}

}  // namespace

std::vector<FallbackUnit> fallback_units(const GraphIndex& index, const std::vector<Site>& sites,
                                         const Plan& plan, const UnitSizes& sizes) {
  Joined joined(sites.size());
  std::map<size_t, size_t> first_at;  // node -> a Site it reads
  for (size_t s = 0; s < sites.size(); ++s) {
    if (!plan.sites[s].quantized() || !is_operand(sites[s].role)) continue;
    for (const Use& use : plan.sites[s].uses) {
      const auto [at, is_new] = first_at.try_emplace(use.node, s);
      if (!is_new) joined.join(at->second, s);
    }
  }
  std::map<size_t, FallbackUnit> units;  // by first Site
  for (size_t s = 0; s < sites.size(); ++s)
    if (plan.sites[s].quantized()) units[joined.first(s)].sites.push_back(s);
  std::vector<FallbackUnit> list;
  for (auto& [first, unit] : units) {
    unit.name = sites[first].path;
    count_work(index, sites, sizes, unit);
    list.push_back(std::move(unit));
  }
  return list;
}

CostModel::CostModel(const std::vector<ProductSpeed>& speeds,
                     const std::vector<FallbackUnit>& units) {
  if (!speeds.empty()) {
    FP8Q_ASSERT(!speeds.front().format);
    for (const ProductSpeed& s : std::span(speeds).subspan(1)) {
      const double ratio = s.operations_per_s / speeds.front().operations_per_s;
      speeds_[*s.format] = std::max(1.0, std::round(2 * ratio) / 2);
    }
  }
  for (const FallbackUnit& unit : units) {
    operations_ += unit.operations;
    bytes_ += static_cast<double>(bytes(unit, std::nullopt));
    sites_ += static_cast<double>(unit.sites.size());
  }
}

double CostModel::speed(const std::optional<Format>& format) const {
  const auto known = format ? speeds_.find(*format) : speeds_.end();
  return known == speeds_.end() ? 1 : known->second;
}

double CostModel::time(const FallbackUnit& unit, const std::optional<Format>& format) const {
  return operations_ > 0 ? unit.operations / speed(format) / operations_ : 0;
}

uint64_t CostModel::bytes(const FallbackUnit& unit, const std::optional<Format>& format) {
  return unit.weight_values * (format ? 1 : sizeof(float));
}

double CostModel::price(const FallbackUnit& unit, const std::optional<Format>& from,
                        const std::optional<Format>& to) const {
  constexpr double kStaysQuantized = 0.1;
  const double sites =
      static_cast<double>(unit.sites.size()) / sites_ * (from && to ? kStaysQuantized : 1.0);
  const double time_added = std::max(0.0, time(unit, to) - time(unit, from));
  const double bytes_added =
      bytes_ > 0
          ? (static_cast<double>(bytes(unit, to)) - static_cast<double>(bytes(unit, from))) / bytes_
          : 0;
  return sites + time_added + bytes_added;
}

}  // namespace fp8q
