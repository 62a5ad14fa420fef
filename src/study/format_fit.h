// Which split of 8 bits fits a tensor, and the facts about its distribution that say why.
//
// Outliers decide: with evenly spaced values (INT8) the step is absmax / 127, however rare absmax
// is; floating-point formats keep the relative step of small values and pay with fewer mantissa
// bits (arXiv 2303.17951).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calibrate/site_statistics.h"
#include "numeric/study_format.h"
#include "tensor/tensor.h"

namespace fp8q {

// Moments are about zero, as symmetric formats are. All are 0 where there are only zeros.
struct Distribution {
  double absmax = 0;
  double std = 0;  // about the mean
  // E[x^4] / E[x^2]^2: 1.8 where values are spread evenly, 3 for a normal distribution, more with
  // heavy tails.
  double kurtosis = 0;
  double outlier_ratio = 0;  // absmax / root mean square
  double beyond_6_rms = 0;   // share of values with a magnitude above 6 times that root
  // 20 log10 of absmax over the magnitude that 99 % of the values other than zero exceed.
  double dynamic_range_db = 0;
};
Distribution distribution_of(const SiteStatistics& statistics);

struct FormatFit {
  Distribution distribution;
  std::vector<double> sqnr_db;  // by study_formats(), with absmax scales; infinite: exact
  size_t best = 0;              // index; of equals the first
  std::string reason;           // one line

  const StudyFormat& best_format() const { return study_formats()[best]; }
};

// From a Site's histogram: values of a bin are taken to be spread evenly over it.
FormatFit fit_of_statistics(const SiteStatistics& statistics);

// On the values themselves. With an axis every channel has its own scale, and the distribution is
// that of each channel relative to its absmax (absmax and std apart): what the format has to hold.
FormatFit fit_of_weight(const Tensor& f32, std::optional<int64_t> axis);

}  // namespace fp8q
