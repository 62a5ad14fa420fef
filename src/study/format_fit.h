// Finds which split of 8 bits fits a tensor, and the facts about its distribution that say why.
//
// Outliers decide. With evenly spaced values (INT8) the step is absmax / 127, however rare absmax
// is. Floating-point formats keep the relative step of small values and pay with fewer mantissa
// bits (arXiv 2303.17951).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calibrate/site_statistics.h"
#include "numeric/study_format.h"
#include "tensor/tensor.h"

namespace fp8q {

// Moments are about zero, because symmetric formats are centered at zero. All members are 0 if
// there are only zeros.
struct Distribution {
  double absmax = 0;
  double std = 0;  // standard deviation about the mean
  // This is E[x^4] / E[x^2]^2. It is 1.8 if values are spread evenly, 3 for a normal distribution,
  // and more with heavy tails.
  double kurtosis = 0;
  double outlier_ratio = 0;  // absmax / root mean square
  double beyond_6_rms = 0;   // share of values above 6 times the root mean square
  // This is 20 log10(absmax / m), where 99 % of the values other than zero exceed the magnitude m.
  double dynamic_range_db = 0;
};
Distribution distribution_of(const SiteStatistics& statistics);

struct FormatFit {
  Distribution distribution;
  std::vector<double> sqnr_db;  // by study_formats(), with absmax scales; infinite: exact
  size_t best = 0;              // index; the first among equals
  std::string reason;           // one line

  const StudyFormat& best_format() const { return study_formats()[best]; }
};

// Computes the fit from a Site's histogram. The values of a bin are assumed to be spread evenly
// over the bin.
FormatFit fit_of_statistics(const SiteStatistics& statistics);

// Computes the fit from the values themselves. With an axis every channel has its own scale, and
// the distribution (except absmax and std) is that of each channel relative to its absmax, because
// that is what the format has to hold.
FormatFit fit_of_weight(const Tensor& f32, std::optional<int64_t> axis);

}  // namespace fp8q
