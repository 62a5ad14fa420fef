// Shows from the calibration's histograms how much of each activation every format would keep, and
// how the values of some Sites lie on the formats' grids.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "calibrate/observer.h"
#include "numeric/format.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/section.h"
#include "report/site_map.h"

namespace fp8q {
namespace {

constexpr double kBarsPerOctave = 4;
constexpr double kFewestOctaves = 12;
constexpr double kMostOctaves = 34;     // more than E5M2 has
constexpr double kLeftOfChart = 0.002;  // share of values that may be left of it

double sqnr(const SiteStatistics& statistics, Format format) {
  const ExpectedError error = expected_error(statistics, format, statistics.absmax());
  return decibels(error.signal, error.noise);
}

double upper_edge(size_t bin) {
  return bin + 1 < SiteStatistics::kBins ? SiteStatistics::bin_lower(bin + 1) : INFINITY;
}

// Returns a chart with its ends set, in whole octaves. It goes from where nearly all values begin
// to the largest value.
MagnitudeChart empty_chart(const SiteStatistics& s) {
  const double high = std::ceil(std::log2(static_cast<double>(s.absmax())) + 1e-9);
  const double nonzero = static_cast<double>(s.count() - s.zeros());
  double low = high - kMostOctaves;
  double seen = 0;
  for (size_t bin = 0; bin < SiteStatistics::kBins; ++bin) {
    seen += static_cast<double>(s.histogram()[bin]);
    if (seen <= kLeftOfChart * nonzero) continue;
    low = std::max(low, std::floor(std::log2(upper_edge(bin))) - 1);
    break;
  }
  low = std::min(low, high - kFewestOctaves);
  return {low, high, std::vector<double>(static_cast<size_t>((high - low) * kBarsPerOctave)), {}};
}

// Spreads each bin over the bars it overlaps, evenly on the logarithmic axis.
void fill_bars(const SiteStatistics& s, MagnitudeChart& chart) {
  const auto total = static_cast<double>(s.count());
  for (size_t bin = 0; bin < SiteStatistics::kBins; ++bin) {
    if (s.histogram()[bin] == 0) continue;
    const double low = kBarsPerOctave * (std::log2(SiteStatistics::bin_lower(bin)) - chart.low);
    const double high = kBarsPerOctave * (std::log2(upper_edge(bin)) - chart.low);
    const double share = static_cast<double>(s.histogram()[bin]) / total;
    const auto first = static_cast<size_t>(std::max(low, 0.0));
    for (size_t bar = first; bar < chart.shares.size() && static_cast<double>(bar) < high; ++bar) {
      const double overlap =
          std::min(high, static_cast<double>(bar) + 1) - std::max(low, static_cast<double>(bar));
      if (std::isfinite(overlap)) chart.shares[bar] += share * overlap / (high - low);
    }
  }
}

double share_rounded_to_zero(const SiteStatistics& s, double below) {
  double count = 0;
  for (size_t bin = 0; bin < SiteStatistics::kBins && upper_edge(bin) <= below; ++bin)
    count += static_cast<double>(s.histogram()[bin]);
  return s.count() ? count / static_cast<double>(s.count()) : 0;
}

GridStrip grid_strip(const SiteStatistics& s, Format format) {
  const double scale = scale_for(format, s.absmax());
  GridStrip strip;
  for (int code = 1; code < 128; ++code) {
    const double value = decode(format, static_cast<uint8_t>(code));
    if (std::isfinite(value) && value > 0) strip.marks.push_back(std::log2(value * scale));
  }
  const double below = scale * info(format).step / 2;
  strip.zero_below = std::log2(below);
  strip.label =
      fmt::format("{}: SQNR {:.1f} dB; {:.2g} % of the values become zero", info(format).name,
                  sqnr(s, format), 100 * share_rounded_to_zero(s, below));
  return strip;
}

Html histogram(const SiteRecord& site) {
  const SiteStatistics& s = site.statistics;
  MagnitudeChart chart = empty_chart(s);
  fill_bars(s, chart);
  for (const auto& format : all_formats()) chart.strips.push_back(grid_strip(s, format.id));
  return html_figure(
      site.path, magnitude_chart(chart),
      fmt::format("Distribution of the magnitudes of {} values (largest {:.4g}, {:.0f} times the "
                  "standard deviation), and below it the values each format has when the largest "
                  "magnitude takes its largest code. Shaded: rounds to zero.",
                  s.count(), s.absmax(), s.stddev() > 0 ? s.absmax() / s.stddev() : 0.0));
}

bool has_range(const SiteRecord& site) { return site.statistics.absmax() > 0; }

// Returns the Site that INT8 serves worst and the one it serves best, because these two show the
// difference most clearly.
std::vector<const SiteRecord*> telling_sites(const Statistics& statistics) {
  const SiteRecord* worst = nullptr;
  const SiteRecord* best = nullptr;
  double low = INFINITY, high = -INFINITY;
  for (const SiteRecord& site : statistics.sites) {
    if (!has_range(site)) continue;
    const double decibels = sqnr(site.statistics, Format::int8);
    if (decibels < low) low = decibels, worst = &site;
    if (decibels > high) high = decibels, best = &site;
  }
  std::vector<const SiteRecord*> sites;
  if (worst) sites.push_back(worst);
  if (best != worst) sites.push_back(best);
  return sites;
}

std::vector<const SiteRecord*> chosen_sites(const Statistics& statistics,
                                            const std::vector<std::string>& paths) {
  if (paths.empty()) return telling_sites(statistics);
  std::vector<const SiteRecord*> sites;
  for (const std::string& path : paths) {
    const auto it = std::ranges::find(statistics.sites, path, &SiteRecord::path);
    if (it == statistics.sites.end())
      fail(ErrorCode::usage, "--site {}: the statistics of {} have no such Site", printable(path),
           printable(statistics.provenance.model_name));
    if (has_range(*it)) sites.push_back(&*it);
  }
  return sites;
}

}  // namespace

Html section_statistics(const SectionInput& input) {
  Html content;
  for (const ResultFile* file : input.files) {
    const Statistics& statistics = *file->statistics;
    for (const auto& format : all_formats()) {
      SiteDecibels decibels;
      for (const SiteRecord& site : statistics.sites)
        decibels.emplace_back(site.path, has_range(site)
                                             ? std::optional(sqnr(site.statistics, format.id))
                                             : std::nullopt);
      content += html_figure(
          fmt::format("{}: activations in {}", statistics.provenance.model_name, format.name),
          heat_map(decibel_map(decibels)),
          "Estimated SQNR in dB with one scale per tensor, the largest magnitude taking the "
          "largest code; dark where little of the signal is left.");
    }
    for (const SiteRecord* site : chosen_sites(statistics, input.sites))
      content += histogram(*site);
  }
  return html_section("Activations", "What calibration saw, and what each format would keep of it.",
                      content);
}

}  // namespace fp8q
