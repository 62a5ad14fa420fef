// Shows which Sites suffer in which format, and which split of 8 bits would suit them.
#include <algorithm>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/section.h"

namespace fp8q {
namespace {

using json::Value;

constexpr size_t kWorst = 10;  // number of Sites per format

double alone(const Value& site, const std::string& format) {
  return site["formats"][format]["alone"]["divergence"].number();
}

Bar bar_of(const std::string& label, double value, int series) {
  return {label, value, fmt::format("{:.2e}", value), series};
}

Html worst_sites(const Value& sites, const std::string& format, int series) {
  std::vector<Value> ranked = sites.items();
  std::ranges::stable_sort(
      ranked, {}, [&](const Value& s) { return s["formats"][format]["rank"].unsigned_integer(); });
  if (ranked.size() > kWorst) ranked.erase(ranked.begin() + kWorst, ranked.end());
  std::vector<Bar> bars;
  for (const Value& site : ranked)
    bars.push_back(bar_of(site["path"].string(), alone(site, format), series));
  return bar_chart(bars);
}

Html groups(const Value& list, const std::string& format, int series) {
  std::vector<Bar> bars;
  for (const Value& group : list.items())
    bars.push_back(
        bar_of(group["name"].string(), group["formats"][format]["alone"].number(), series));
  return bar_chart(bars);
}

Html best_formats(const Value& sites) {
  std::map<std::string, std::vector<Value>> by_format;
  for (const Value& site : sites.items())
    by_format[site["best"]["format"].string()].push_back(site);
  std::vector<std::vector<Html>> rows;
  for (const auto& [format, members] : by_format) {
    const Value& example = members.front();
    rows.push_back(
        {format, fmt::format("{}", members.size()),
         html("{}: {}", code(example["path"].string()), example["best"]["reason"].string())});
  }
  return html_table({"best split", ">Sites", "for example"}, rows);
}

}  // namespace

Html section_sensitivity(const SectionInput& input) {
  Html content;
  for (const ResultFile* file : input.files) {
    const Value& r = file->json;
    int series = 0;
    content += html("<p>{}, Sites of recipe {}, {} examples.</p>",
                    code(std::filesystem::path(r["model"]["path"].string()).filename().string()),
                    r["recipe"].string(), r["examples"].unsigned_integer());
    for (const auto& [key, whole] : r["whole"].members()) {
      const std::string format(key);
      content += html_figure(
          fmt::format("{}: Sites that do most harm alone", format),
          worst_sites(r["sites"], format, series),
          fmt::format("Divergence of the outputs with this Site alone rounded; {:.2e} with "
                      "everything rounded.",
                      whole["divergence"].number()));
      content += html_figure(format + ": by role", groups(r["roles"], format, series),
                             "Sums over the layers.");
      content += html_figure(format + ": by layer", groups(r["layers"], format, series), "");
      series = (series + 1) % 6;
    }
    content += best_formats(r["sites"]);
  }
  return html_section("Sensitivity",
                      "What rounding single tensors does to the outputs: KL divergence from the "
                      "float model's decisions, or squared error where outputs are numbers.",
                      content);
}

}  // namespace fp8q
