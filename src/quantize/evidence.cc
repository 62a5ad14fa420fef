#include "quantize/evidence.h"

#include "base/error.h"

namespace fp8q {

const SiteStatistics& needed_statistics(const Site& site, const Statistics* statistics) {
  if (!statistics)
    fail(ErrorCode::bad_data,
         "activation {} (\"{}\") needs calibration statistics: run fp8q calibrate first",
         printable(site.path), printable(site.value));
  const SiteStatistics* found = statistics->find(site.value);
  if (!found)
    fail(ErrorCode::bad_data,
         "the statistics have no Site {} (\"{}\"): they were made from another model or by another "
         "version of fp8q; calibrate again",
         printable(site.path), printable(site.value));
  if (found->count() == 0)
    fail(ErrorCode::bad_data,
         "the statistics of Site {} (\"{}\") hold {}: calibrate again with "
         "data that reaches it",
         printable(site.path), printable(site.value),
         found->nonfinite() ? "only values that are not finite" : "no values");
  return *found;
}

}  // namespace fp8q
