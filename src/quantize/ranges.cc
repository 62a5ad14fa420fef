#include "quantize/ranges.h"

#include "base/error.h"

namespace fp8q {

void take_ranges(const RangeTable& table, const std::filesystem::path& source,
                 const std::vector<Site>& sites, PlanRequest& request) {
  std::vector<std::string> missing;
  for (size_t i = 0; i < sites.size(); ++i) {
    SiteRequest& wanted = request.sites[i];
    if (sites[i].kind != SiteKind::activation || !wanted.format ||
        wanted.granularity == Granularity::token || !needs_statistics(wanted.observer.id))
      continue;
    const auto found = table.ranges.find(sites[i].value);
    if (found == table.ranges.end()) {
      missing.push_back(fmt::format("{} (\"{}\")", sites[i].path, printable(sites[i].value)));
      continue;
    }
    wanted.observer = {Observer::fixed, found->second};
    wanted.reason += fmt::format("; range from {}", printable(source.filename().string()));
  }
  if (!missing.empty())
    fail(ErrorCode::bad_data,
         "{}: this {} has no range for {} Sites, the first is {}; calibrate with fp8q, or decide "
         "for them with --site 'PATH=float' or --site 'PATH=:fixed:RANGE'",
         printable(source.string()), table.origin, missing.size(), missing.front());
}

RangeTable ranges_of(const Plan& plan) {
  RangeTable table;
  for (const SitePlan& site : plan.sites)
    if (site.quantized() && site.kind == SiteKind::activation && !site.per_token())
      table.ranges[site.value] = site.absmax;
  return table;
}

}  // namespace fp8q
