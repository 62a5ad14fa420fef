#include "engine/cpu/activation_sites.h"

#include "base/threads.h"
#include "engine/cpu/rows.h"

namespace fp8q::cpu {

ActivationSites::ActivationSites(const std::vector<Site>& sites)
    : roundings_(sites.size() + 1), tallies_(std::make_unique<Tally[]>(sites.size())) {
  for (size_t i = 0; i < sites.size(); ++i)
    if (sites[i].kind == SiteKind::activation)
      roundings_[i + 1] = activation_quantization(sites, static_cast<int>(i));
}

void ActivationSites::count_values(int site, size_t values) const noexcept {
  if (site < 0) return;
  tallies_[static_cast<size_t>(site)].values.fetch_add(values, std::memory_order_relaxed);
}

void ActivationSites::count(int site, const RoundingCount& count) const noexcept {
  if (site < 0) return;
  Tally& tally = tallies_[static_cast<size_t>(site)];
  if (count.saturated) tally.saturated.fetch_add(count.saturated, std::memory_order_relaxed);
  if (count.underflowed) tally.underflowed.fetch_add(count.underflowed, std::memory_order_relaxed);
}

std::vector<SiteRounding> ActivationSites::counts() const {
  std::vector<SiteRounding> counts;
  for (size_t i = 0; i + 1 < roundings_.size(); ++i) {
    const Tally& tally = tallies_[i];
    counts.push_back({tally.values, tally.saturated, tally.underflowed});
  }
  return counts;
}

const SiteTransform* SitePass::transform(int site) const {
  if (site < 0 || transforms.empty()) return nullptr;
  const SiteTransform& found = transforms[static_cast<size_t>(site)];
  return found.apply ? &found : nullptr;
}

void SitePass::show(int site, const SiteRows& rows) const {
  const auto columns = static_cast<int64_t>(rows.columns);
  if (const SiteTransform* changes = transform(site))
    parallel_for(rows.offsets.size() - 1, [&](size_t s) {
      const auto from = static_cast<size_t>(rows.offsets[s]);
      const auto to = static_cast<size_t>(rows.offsets[s + 1]);
      changes->apply({rows.x + from * rows.columns, (to - from) * rows.columns}, columns);
    });
  if (observer && site >= 0) (*observer)(site, {rows.x, rows.rows() * rows.columns}, columns);
}

void SitePass::round(int site, const SiteRows& rows) const {
  const auto& rounding = sites->rounding(site);
  if (!rounding) return;
  sites->count_values(site, rows.rows() * rows.columns);
  parallel_rows(rows.rows(), [&](Range part) {
    float* x = rows.x + part.from * rows.columns;
    sites->count(site, round_to_f32({.format = rounding->format,
                                     .scale = rounding->scale,
                                     .x = x,
                                     .x_stride = rows.columns,
                                     .out = x,
                                     .out_stride = rows.columns,
                                     .rows = part.size(),
                                     .columns = rows.columns}));
  });
}

}  // namespace fp8q::cpu
