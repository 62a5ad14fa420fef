#include "calibrate/density.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fp8q {
namespace {

std::vector<Cell> make_cells(Format format) {
  std::vector<double> codes;
  for (int code = 0; code < 256; ++code) {
    const double value = static_cast<double>(decode(format, static_cast<uint8_t>(code)));
    if (std::isfinite(value) && !std::signbit(value)) codes.push_back(value);
  }
  std::ranges::sort(codes);
  codes.push_back(2 * codes.back() - codes[codes.size() - 2]);
  std::vector<Cell> cells;
  for (size_t i = 0; i + 1 < codes.size(); ++i)
    cells.push_back({i == 0 ? 0.0 : cells.back().high, codes[i], (codes[i] + codes[i + 1]) / 2});
  return cells;
}

}  // namespace

const std::vector<Cell>& cells_of(Format format) {
  static const auto kCells = [] {
    std::vector<std::vector<Cell>> all;
    for (const FormatInfo& f : all_formats()) all.push_back(make_cells(f.id));
    return all;
  }();
  return kCells[static_cast<size_t>(format)];
}

Density::Density(const SiteStatistics& statistics) {
  const auto histogram = statistics.histogram();
  const double absmax = statistics.absmax();
  // The last bin ends at the largest value. If that is the bin's first value, the bin still has a
  // width.
  constexpr double kThin = 1 + 0x1p-20;
  for (size_t bin = 0; bin < histogram.size(); ++bin) {
    if (histogram[bin] == 0) continue;
    const double low = SiteStatistics::bin_lower(bin);
    const double end = bin + 1 < histogram.size() ? SiteStatistics::bin_lower(bin + 1) : absmax;
    const double high = std::max({std::min(end, absmax), low * kThin, low + 0x1p-149});
    add_edge(low, static_cast<double>(histogram[bin]) / (high - low));
    add_edge(high, 0);
  }
}

void Density::add_edge(double at, double density) {
  Sums before;
  if (!edges_.empty()) {
    before = below(at);
    if (edges_.back().at == at) edges_.pop_back();
  }
  edges_.push_back({at, density, before});
}

Density::Sums Density::between(const Edge& edge, double to) {
  if (edge.density == 0) return {};
  const double a = edge.at, length = to - a, count = edge.density * length;
  return {count, count * (a + length / 2), count * (a * to + length * length / 3),
          count * std::log(edge.density), length};
}

Density::Sums Density::below(double magnitude) const {
  const auto next = std::ranges::upper_bound(edges_, magnitude, {}, &Edge::at);
  if (next == edges_.begin()) return {};
  const Edge& edge = *(next - 1);
  Sums sums = edge.before;
  const Sums more = between(edge, magnitude);
  return {sums.count + more.count, sums.first + more.first, sums.second + more.second,
          sums.log_density + more.log_density, sums.support + more.support};
}

}  // namespace fp8q
