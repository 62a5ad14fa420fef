// What conversion did to every Site, and to the size.
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

using nlohmann::json;

constexpr size_t kWeakest = 8;  // Sites listed

// JSON has no infinity: a Site without error has null. nullopt: not quantised, or not known, as
// where scales are found at run time.
std::optional<double> decibels_of(const json& site) {
  if (!site.contains("sqnr_db")) return std::nullopt;
  const json& value = site.at("sqnr_db");
  return value.is_null() ? INFINITY : value.get<double>();
}

SiteDecibels decibels_by_path(const json& sites) {
  SiteDecibels list;
  for (const json& site : sites)
    list.emplace_back(site.at("path").get<std::string>(), decibels_of(site));
  return list;
}

std::string weakest_sites(const json& sites) {
  std::vector<const json*> known;
  for (const json& site : sites)
    if (decibels_of(site)) known.push_back(&site);
  std::ranges::stable_sort(known, {}, [](const json* s) { return *decibels_of(*s); });
  if (known.size() > kWeakest) known.resize(kWeakest);
  std::vector<std::vector<std::string>> rows;
  for (const json* site : known)
    rows.push_back({"<code>" + escape(site->at("path").get<std::string>()) + "</code>",
                    escape(site->at("format").get<std::string>()),
                    fmt::format("{:.1f}", *decibels_of(*site)),
                    escape(site->at("reason").get<std::string>())});
  return html_table({"weakest Sites", "format", ">SQNR dB", "scale from"}, rows);
}

Bar size_bar(const std::string& label, const json& bytes, int series) {
  const auto value = bytes.get<double>();
  return {label, value, fmt::format("{:.1f} MB", value / 1e6), series};
}

}  // namespace

std::string section_convert(const SectionInput& input) {
  std::string content;
  std::vector<Bar> sizes;
  for (const ResultFile* file : input.files) {
    const json& r = file->json;
    const auto recipe = r.at("recipe").get<std::string>();
    if (sizes.empty()) sizes.push_back(size_bar("source", r.at("source_bytes"), 5));
    sizes.push_back(size_bar(recipe, r.at("output").at("bytes"), 0));
    content += html_figure(
        recipe + ": SQNR by layer", heat_map(decibel_map(decibels_by_path(r.at("sites")))),
        "Signal to quantisation noise in dB, dark where little of the signal "
        "is left; empty: not quantised. Weights are measured, activations "
        "estimated from the calibration's histograms; also empty where scales are "
        "found at run time.");
    content += weakest_sites(r.at("sites"));
  }
  content += html_figure("Size of the model file", bar_chart(sizes), "");
  return html_section("Conversion", "What each quantised tensor keeps of its signal.", content);
}

}  // namespace fp8q
