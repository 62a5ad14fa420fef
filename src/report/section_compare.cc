// Shows where two models differ, and how much of it reaches their outputs.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/section.h"
#include "report/site_map.h"

namespace fp8q {
namespace {

using json::Value;

constexpr size_t kWorst = 10;  // number of Sites listed

std::string percent(const Value& site, const char* key) {
  return site.has(key) ? fmt::format("{:.3f} %", 100 * site[key].number()) : "";
}

Html worst_sites(const Value& sites) {
  std::vector<Value> ranked = sites.items();
  std::erase_if(ranked, [](const Value& s) { return !std::isfinite(decibels_of(s).value()); });
  std::ranges::stable_sort(ranked, {}, decibels_of);
  if (ranked.size() > kWorst) ranked.erase(ranked.begin() + kWorst, ranked.end());
  std::vector<std::vector<Html>> rows;
  for (const Value& site : ranked)
    rows.push_back({code(site["path"].string()), site["format"].at(1).string(),
                    fmt::format("{:.1f}", *decibels_of(site)),
                    fmt::format("{:.5f}", site["cosine"].number()), percent(site, "saturated"),
                    percent(site, "underflowed")});
  return html_table({"worst Sites", "format", ">SQNR dB", ">cosine", ">saturated", ">underflowed"},
                    rows);
}

Html outputs_table(const Value& outputs) {
  std::vector<std::vector<Html>> rows;
  for (const Value& output : outputs.items()) {
    std::vector<Html> row = {code(output["name"].string()),
                             fmt::format("{:.3g}", output["max_error"].number()),
                             fmt::format("{:.3g}", output["nmse"].number()), "", ""};
    if (const auto decisions = output.find("decisions")) {
      row[3] = fmt::format("{:.3g}", (*decisions)["kl_mean"].number());
      row[4] = fmt::format("{:.2f} %", 100 * (*decisions)["agreement"].number());
    }
    rows.push_back(std::move(row));
  }
  return html_table({"output", ">max error", ">NMSE", ">KL", ">same decision"}, rows);
}

}  // namespace

Html section_compare(const SectionInput& input) {
  Html content;
  for (const ResultFile* file : input.files) {
    const Value& r = file->json;
    const std::string title =
        fmt::format("{} against {}", r["format"].string(), r["reference"]["format"].string());
    content += html_figure(title, heat_map(decibel_map(decibels_by_path(r["sites"]))),
                           "SQNR in dB of what the products read, errors of earlier layers "
                           "included; dark where little of the signal is left.");
    content += worst_sites(r["sites"]);
    content += outputs_table(r["outputs"]);
  }
  return html_section("Comparison",
                      "The same text through two models: where their tensors differ, and how much "
                      "of it reaches the outputs.",
                      content);
}

}  // namespace fp8q
