// Shows what conversion did to every Site, and to the size.
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/section.h"
#include "report/site_map.h"

namespace fp8q {
namespace {

using json::Value;

constexpr size_t kWeakest = 8;  // number of Sites listed

Html weakest_sites(const Value& sites) {
  std::vector<Value> known = sites.items();
  std::erase_if(known, [](const Value& s) { return !decibels_of(s); });
  std::ranges::stable_sort(known, {}, [](const Value& s) { return *decibels_of(s); });
  if (known.size() > kWeakest) known.erase(known.begin() + kWeakest, known.end());
  std::vector<std::vector<Html>> rows;
  for (const Value& site : known)
    rows.push_back({code(site["path"].string()), site["format"].string(),
                    fmt::format("{:.1f}", *decibels_of(site)), site["reason"].string()});
  return html_table({"weakest Sites", "format", ">SQNR dB", "scale from"}, rows);
}

Bar size_bar(const std::string& label, const Value& bytes, int series) {
  const double value = bytes.number();
  return {label, value, fmt::format("{:.1f} MB", value / 1e6), series};
}

}  // namespace

Html section_convert(const SectionInput& input) {
  Html content;
  std::vector<Bar> sizes;
  for (const ResultFile* file : input.files) {
    const Value& r = file->json;
    const auto recipe = r["recipe"].string();
    if (sizes.empty()) sizes.push_back(size_bar("source", r["source_bytes"], 5));
    sizes.push_back(size_bar(recipe, r["output"]["bytes"], 0));
    content +=
        html_figure(recipe + ": SQNR by layer", heat_map(decibel_map(decibels_by_path(r["sites"]))),
                    "Signal to quantization noise in dB, dark where little of the signal "
                    "is left; empty: not quantized. Weights are measured, activations "
                    "estimated from the calibration's histograms; also empty where scales are "
                    "found at run time.");
    content += weakest_sites(r["sites"]);
  }
  content += html_figure("Size of the model file", bar_chart(sizes), "");
  return html_section("Conversion", "What each quantized tensor keeps of its signal.", content);
}

}  // namespace fp8q
