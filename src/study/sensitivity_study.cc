#include "study/sensitivity_study.h"

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/threads.h"
#include "graph/site_names.h"
#include "quantize/constants.h"
#include "study/format_fit.h"

namespace fp8q {
namespace {

using InFormat = SensitivitySite::InFormat;

TrialHarm told(const Harm& harm) {
  return {harm.divergence, harm.nmse, harm.loss, harm.agreement, harm.score};
}

FormatFit fit_of(const Site& site, const SitePlan& plan, const GraphIndex& index,
                 const Statistics& statistics) {
  if (site.kind == SiteKind::weight) {
    const auto weight = constant_contents(index, site.value);
    FP8Q_ASSERT(weight.has_value());  // because the plan quantizes it
    return fit_of_weight(weight->to(DType::f32), plan.axis.axis);
  }
  const SiteStatistics* seen = statistics.find(site.value);
  return fit_of_statistics(seen ? *seen : SiteStatistics());
}

SensitivitySite described(const Site& site, const FormatFit& fit) {
  const Distribution& d = fit.distribution;
  SensitivitySite s;
  s.path = site.path;
  s.name = site.value;
  s.kind = name_of(site.kind);
  s.role = role_in_path(site.path);
  s.layer = site.layer;
  s.distribution = {d.absmax,        d.std,          d.kurtosis,
                    d.outlier_ratio, d.beyond_6_rms, d.dynamic_range_db};
  s.best_format = fit.best_format().name;
  s.best_reason = fit.reason;
  for (size_t f = 0; f < fit.sqnr_db.size(); ++f)
    s.fit_db.emplace_back(study_formats()[f].name, fit.sqnr_db[f]);
  return s;
}

void add_ranks(std::vector<SensitivitySite>& sites, size_t format) {
  std::vector<InFormat*> ranked;
  for (SensitivitySite& site : sites) ranked.push_back(&site.formats[format]);
  std::ranges::stable_sort(ranked, std::greater(),
                           [](const InFormat* f) { return f->alone.divergence; });
  for (size_t i = 0; i < ranked.size(); ++i) ranked[i]->rank = i + 1;
}

// Returns sums over the Sites for which name_of() gives the same name, in the order of their first
// Sites.
template <typename NameOf>
std::vector<SensitivityGroup> grouped(const SensitivityResult& result, NameOf&& name_of) {
  std::vector<SensitivityGroup> groups;
  for (const SensitivitySite& site : result.sites) {
    const std::string name = name_of(site);
    auto group = std::ranges::find(groups, name, &SensitivityGroup::name);
    if (group == groups.end())
      group = groups.insert(groups.end(),
                            {name, 0, std::vector<SensitivityGroup::Sum>(result.formats.size())});
    ++group->sites;
    for (size_t f = 0; f < result.formats.size(); ++f) {
      group->formats[f].alone += site.formats[f].alone.divergence;
      group->formats[f].gain += result.whole[f].divergence - site.formats[f].left_out.divergence;
    }
  }
  return groups;
}

}  // namespace

void SensitivityStudy::add(Format format, const Recipe& recipe, const PlanOptions& options,
                           SensitivityResult& result) {
  const Plan plan = plans_.plan(plans_.request(recipe, format, options));
  const std::string step = fmt::format("trials in {}", info(format).name);
  const Sensitivity found =
      measure_sensitivity(*plans_.source().encoder, plan, inputs_, [&](size_t done, size_t total) {
        if (progress_) progress_(step, done, total);
      });
  if (result.sites.empty()) add_sites(plan, found, result);
  result.none = told(found.none);
  result.whole.push_back(told(found.all));
  result.trials += 2 * found.sites.size() + 1;
  for (size_t i = 0; i < found.sites.size(); ++i)
    result.sites[i].formats.push_back(
        {.sqnr_db = plan.sites[found.sites[i].site].sqnr_db.value_or(0),
         .alone = told(found.sites[i].alone),
         .left_out = told(found.sites[i].left_out)});
  result.formats.emplace_back(info(format).name);
  add_ranks(result.sites, result.formats.size() - 1);
}

void SensitivityStudy::add_sites(const Plan& plan, const Sensitivity& found,
                                 SensitivityResult& result) {
  const PlanMaker::Source& source = plans_.source();
  const GraphIndex index(source.model.graph);
  std::vector<FormatFit> fits(found.sites.size());
  parallel_for(fits.size(), [&](size_t i) {
    const size_t s = found.sites[i].site;
    fits[i] = fit_of(source.sites[s], plan.sites[s], index, *source.statistics);
  });
  for (size_t i = 0; i < fits.size(); ++i)
    result.sites.push_back(described(source.sites[found.sites[i].site], fits[i]));
}

void add_groups(SensitivityResult& result) {
  result.roles = grouped(result, [](const SensitivitySite& site) { return site.role; });
  result.layers = grouped(result, [](const SensitivitySite& site) {
    return site.layer < 0 ? std::string("outside layers") : fmt::format("layer.{}", site.layer);
  });
}

}  // namespace fp8q
