// Which Sites suffer in which format, and which split of 8 bits would suit them.
#include <algorithm>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/section.h"

namespace fp8q {
namespace {

using nlohmann::json;

constexpr size_t kWorst = 10;  // Sites per format

double alone(const json& site, const std::string& format) {
  return site.at("formats").at(format).at("alone").at("divergence").get<double>();
}

Bar bar_of(const std::string& label, double value, int series) {
  return {label, value, fmt::format("{:.2e}", value), series};
}

std::string worst_sites(const json& sites, const std::string& format, int series) {
  std::vector<const json*> ranked;
  for (const json& site : sites) ranked.push_back(&site);
  std::ranges::stable_sort(ranked, {}, [&](const json* s) {
    return s->at("formats").at(format).at("rank").get<size_t>();
  });
  if (ranked.size() > kWorst) ranked.resize(kWorst);
  std::vector<Bar> bars;
  for (const json* site : ranked)
    bars.push_back(bar_of(site->at("path").get<std::string>(), alone(*site, format), series));
  return bar_chart(bars);
}

std::string groups(const json& list, const std::string& format, int series) {
  std::vector<Bar> bars;
  for (const json& group : list)
    bars.push_back(bar_of(group.at("name").get<std::string>(),
                          group.at("formats").at(format).at("alone").get<double>(), series));
  return bar_chart(bars);
}

std::string best_formats(const json& sites) {
  std::map<std::string, std::vector<const json*>> by_format;
  for (const json& site : sites)
    by_format[site.at("best").at("format").get<std::string>()].push_back(&site);
  std::vector<std::vector<std::string>> rows;
  for (const auto& [format, members] : by_format) {
    const json& example = *members.front();
    rows.push_back({escape(format), fmt::format("{}", members.size()),
                    "<code>" + escape(example.at("path").get<std::string>()) +
                        "</code>: " + escape(example.at("best").at("reason").get<std::string>())});
  }
  return html_table({"best split", ">Sites", "for example"}, rows);
}

}  // namespace

std::string section_sensitivity(const SectionInput& input) {
  std::string content;
  for (const ResultFile* file : input.files) {
    const json& r = file->json;
    int series = 0;
    content += fmt::format(
        "<p><code>{}</code>, Sites of recipe {}, {} examples.</p>",
        escape(
            std::filesystem::path(r.at("model").at("path").get<std::string>()).filename().string()),
        escape(r.at("recipe").get<std::string>()), r.at("examples").get<size_t>());
    for (const auto& [format, whole] : r.at("whole").items()) {
      content += html_figure(
          fmt::format("{}: Sites that do most harm alone", format),
          worst_sites(r.at("sites"), format, series),
          fmt::format("Divergence of the outputs with this Site alone rounded; {:.2e} with "
                      "everything rounded.",
                      whole.at("divergence").get<double>()));
      content += html_figure(format + ": by role", groups(r.at("roles"), format, series),
                             "Sums over the layers.");
      content += html_figure(format + ": by layer", groups(r.at("layers"), format, series), "");
      series = (series + 1) % 6;
    }
    content += best_formats(r.at("sites"));
  }
  return html_section("Sensitivity",
                      "What rounding single tensors does to the outputs: KL divergence from the "
                      "float model's decisions, or squared error where outputs are numbers.",
                      content);
}

}  // namespace fp8q
