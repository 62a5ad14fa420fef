#include "study/format_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "calibrate/observer.h"

namespace fp8q {
namespace {

// This number of points of a bin stands for its values. A bin spans about one step of E4M3, so
// fewer points would meet a grid's values by chance.
constexpr int kPoints = 16;

// Calls f(magnitudes, weight) for every bin with values. There are kPoints magnitudes, and each
// stands for `weight` values.
template <typename F>
void for_each_bin(const SiteStatistics& statistics, F&& f) {
  const auto histogram = statistics.histogram();
  const double absmax = statistics.absmax();
  std::array<float, kPoints> points;
  for (size_t bin = 0; bin < histogram.size(); ++bin) {
    if (histogram[bin] == 0) continue;
    const double low = SiteStatistics::bin_lower(bin);
    const double high = bin + 1 < histogram.size()
                            ? std::min<double>(SiteStatistics::bin_lower(bin + 1), absmax)
                            : absmax;
    for (int i = 0; i < kPoints; ++i)
      points[static_cast<size_t>(i)] = static_cast<float>(low + (high - low) * (i + 0.5) / kPoints);
    f(points, static_cast<double>(histogram[bin]) / kPoints);
  }
}

double square(double x) { return x * x; }

// Returns the magnitude that all but `share` of the values other than zero exceed.
double quantile(const SiteStatistics& statistics, double share) {
  double total = 0;
  for (const uint64_t count : statistics.histogram()) total += static_cast<double>(count);
  double below = 0;
  const auto histogram = statistics.histogram();
  for (size_t bin = 0; bin < histogram.size(); ++bin) {
    below += static_cast<double>(histogram[bin]);
    if (histogram[bin] > 0 && below >= share * total)
      return std::max<double>(SiteStatistics::bin_lower(bin),
                              std::numeric_limits<float>::denorm_min());
  }
  return 0;
}

// Says why a tensor is held best by a format of 8 bits that spends this many on the exponent.
std::string_view why_best(int exponent_bits) {
  switch (exponent_bits) {
    case 0:
      return "no outliers, so even steps waste nothing";
    case 2:
      return "few outliers: two exponent bits hold them";
    case 3:
      return "outliers need exponent bits, the bulk needs mantissa bits";
    case 4:
      return "outliers so far out that the bulk needs a small step";
  }
  return "magnitudes of so many binades that range is worth most";
}

void choose_best(FormatFit& fit) {
  fit.best = static_cast<size_t>(std::ranges::max_element(fit.sqnr_db) - fit.sqnr_db.begin());
  const Distribution& d = fit.distribution;
  const StudyFormat& best = fit.best_format();
  if (d.absmax == 0) {
    fit.reason = "only zeros: every format is exact";
    return;
  }
  double second = -INFINITY;
  for (size_t f = 0; f < fit.sqnr_db.size(); ++f)
    if (f != fit.best) second = std::max(second, fit.sqnr_db[f]);
  const std::string shape =
      fmt::format("absmax is {:.1f} rms (kurtosis {:.1f}, dynamic range {:.0f} dB)",
                  d.outlier_ratio, d.kurtosis, d.dynamic_range_db);
  fit.reason = fmt::format("{}: {}; {:.1f} dB ahead", shape, why_best(best.exponent_bits),
                           fit.sqnr_db[fit.best] - second);
}

// Splits a tensor into runs of elements that share a channel of `axis`. Without an axis there is a
// single channel.
struct ChannelRuns {
  size_t outer = 1, channels = 1, inner = 1;

  ChannelRuns(const Tensor& tensor, std::optional<int64_t> axis) {
    for (int64_t i = 0; i < tensor.rank(); ++i) {
      const auto size = static_cast<size_t>(tensor.dim(i));
      if (!axis) inner *= size;
      else (i < *axis ? outer : i == *axis ? channels : inner) *= size;
    }
  }
  size_t channel(size_t element) const { return element / inner % channels; }
};

}  // namespace

Distribution distribution_of(const SiteStatistics& statistics) {
  Distribution d;
  d.absmax = statistics.absmax();
  if (d.absmax == 0) return d;
  d.std = statistics.stddev();
  const auto count = static_cast<double>(statistics.count());
  const double mean_square = statistics.sum_of_squares() / count;
  const double rms = std::sqrt(mean_square);
  double fourth = 0, beyond = 0;
  for_each_bin(statistics, [&](const auto& magnitudes, double weight) {
    for (const float x : magnitudes) {
      fourth += weight * square(square(x));
      if (double{x} > 6 * rms) beyond += weight;
    }
  });
  d.kurtosis = fourth / count / square(mean_square);
  d.outlier_ratio = d.absmax / rms;
  d.beyond_6_rms = beyond / count;
  d.dynamic_range_db = 20 * std::log10(d.absmax / quantile(statistics, 0.01));
  return d;
}

FormatFit fit_of_statistics(const SiteStatistics& statistics) {
  FormatFit fit{.distribution = distribution_of(statistics), .sqnr_db = {}, .reason = {}};
  for (const StudyFormat& format : study_formats()) {
    const float scale = scale_for(format, statistics.absmax());
    double signal = 0, noise = 0;
    for_each_bin(statistics, [&](const auto& magnitudes, double weight) {
      auto rounded = magnitudes;
      round_values(format, scale, rounded);
      for (size_t i = 0; i < magnitudes.size(); ++i) {
        signal += weight * square(magnitudes[i]);
        noise += weight * square(double{magnitudes[i]} - double{rounded[i]});
      }
    });
    fit.sqnr_db.push_back(decibels(signal, noise));
  }
  choose_best(fit);
  return fit;
}

FormatFit fit_of_weight(const Tensor& f32, std::optional<int64_t> axis) {
  const auto values = f32.data<float>();
  const ChannelRuns runs(f32, axis);
  std::vector<float> absmax(runs.channels, 0.0f);
  for (size_t i = 0; i < values.size(); ++i) {
    float& largest = absmax[runs.channel(i)];
    largest = std::max(largest, std::fabs(values[i]));
  }
  // Every channel gets its own row, so that rounding works on whole rows.
  std::vector<std::vector<float>> channels(runs.channels);
  for (size_t i = 0; i < values.size(); ++i) channels[runs.channel(i)].push_back(values[i]);

  FormatFit fit;
  for (const StudyFormat& format : study_formats()) {
    double signal = 0, noise = 0;
    for (size_t c = 0; c < channels.size(); ++c) {
      std::vector<float> rounded = channels[c];
      round_values(format, scale_for(format, absmax[c]), rounded);
      for (size_t i = 0; i < rounded.size(); ++i) {
        signal += square(channels[c][i]);
        noise += square(double{channels[c][i]} - double{rounded[i]});
      }
    }
    fit.sqnr_db.push_back(decibels(signal, noise));
  }
  SiteStatistics whole, relative;
  whole.observe(values, 0, 0);
  for (size_t c = 0; c < channels.size(); ++c) {
    for (float& x : channels[c]) x = absmax[c] > 0 ? x / absmax[c] : 0;
    relative.observe(channels[c], 0, 0);
  }
  fit.distribution = distribution_of(axis ? relative : whole);
  fit.distribution.absmax = whole.absmax();
  fit.distribution.std = whole.stddev();
  choose_best(fit);
  return fit;
}

}  // namespace fp8q
