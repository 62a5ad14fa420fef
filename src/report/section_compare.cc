// Where two models differ, and what reaches their outputs.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/section.h"
#include "report/site_map.h"

namespace fp8q {
namespace {

using nlohmann::json;

constexpr size_t kWorst = 10;  // Sites listed

// JSON has no infinity: equal tensors have null.
double decibels_of(const json& site) {
  const json& value = site.at("sqnr_db");
  return value.is_null() ? INFINITY : value.get<double>();
}

SiteDecibels decibels_by_path(const json& sites) {
  SiteDecibels list;
  for (const json& site : sites)
    list.emplace_back(site.at("path").get<std::string>(), decibels_of(site));
  return list;
}

std::string percent(const json& site, const char* key) {
  return site.contains(key) ? fmt::format("{:.3f} %", 100 * site.at(key).get<double>()) : "";
}

std::string worst_sites(const json& sites) {
  std::vector<const json*> ranked;
  for (const json& site : sites)
    if (std::isfinite(decibels_of(site))) ranked.push_back(&site);
  std::ranges::stable_sort(ranked, {}, [](const json* s) { return decibels_of(*s); });
  if (ranked.size() > kWorst) ranked.resize(kWorst);
  std::vector<std::vector<std::string>> rows;
  for (const json* site : ranked)
    rows.push_back({"<code>" + escape(site->at("path").get<std::string>()) + "</code>",
                    escape(site->at("format").at(1).get<std::string>()),
                    fmt::format("{:.1f}", decibels_of(*site)),
                    fmt::format("{:.5f}", site->at("cosine").get<double>()),
                    percent(*site, "saturated"), percent(*site, "underflowed")});
  return html_table({"worst Sites", "format", ">SQNR dB", ">cosine", ">saturated", ">underflowed"},
                    rows);
}

std::string outputs_table(const json& outputs) {
  std::vector<std::vector<std::string>> rows;
  for (const json& output : outputs) {
    std::vector<std::string> row = {
        "<code>" + escape(output.at("name").get<std::string>()) + "</code>",
        fmt::format("{:.3g}", output.at("max_error").get<double>()),
        fmt::format("{:.3g}", output.at("nmse").get<double>()), "", ""};
    if (output.contains("decisions")) {
      const json& decisions = output.at("decisions");
      row[3] = fmt::format("{:.3g}", decisions.at("kl_mean").get<double>());
      row[4] = fmt::format("{:.2f} %", 100 * decisions.at("agreement").get<double>());
    }
    rows.push_back(std::move(row));
  }
  return html_table({"output", ">max error", ">NMSE", ">KL", ">same decision"}, rows);
}

}  // namespace

std::string section_compare(const SectionInput& input) {
  std::string content;
  for (const ResultFile* file : input.files) {
    const json& r = file->json;
    const std::string title = fmt::format("{} against {}", r.at("format").get<std::string>(),
                                          r.at("reference").at("format").get<std::string>());
    content += html_figure(title, heat_map(decibel_map(decibels_by_path(r.at("sites")))),
                           "SQNR in dB of what the products read, errors of earlier layers "
                           "included; dark where little of the signal is left.");
    content += worst_sites(r.at("sites"));
    content += outputs_table(r.at("outputs"));
  }
  return html_section("Comparison",
                      "The same text through two models: where their tensors differ, and how much "
                      "of it reaches the outputs.",
                      content);
}

}  // namespace fp8q
