// Speed: latency of each cell, and where it goes.
#include "base/error.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/section.h"

namespace fp8q {
namespace {

using nlohmann::json;

std::string percent(const json& fraction) {
  return fraction.is_null() ? "" : fmt::format("{:.0f} %", 100 * fraction.get<double>());
}

// Colours follow the order of the variants in a cell.
int series_of(const json& variants, const json& format) {
  for (size_t i = 0; i < variants.size(); ++i)
    if (variants[i].at("format") == format) return static_cast<int>(i % 6);
  return 0;
}

std::string stages_chart(const json& row, int series) {
  std::vector<Bar> bars;
  for (const json& stage : row.at("stages"))
    bars.push_back({stage.at("stage").get<std::string>(), stage.at("share").get<double>(),
                    percent(stage.at("share")), series});
  return bar_chart(bars);
}

}  // namespace

std::string section_bench(const SectionInput& input) {
  std::string content;
  for (const ResultFile* file : input.files) {
    const json& r = file->json;
    const std::string name = r.at("shape").is_null() ? r.at("model").at("path").get<std::string>()
                                                     : r.at("shape").get<std::string>();
    std::vector<std::vector<std::string>> rows;
    std::vector<Bar> bars;
    std::string stages;
    for (const json& row : r.at("rows")) {
      const auto format = row.at("format").get<std::string>();
      const auto cell = fmt::format("batch {}, length {}", row.at("batch").get<uint64_t>(),
                                    row.at("sequence").get<uint64_t>());
      const int series = series_of(r.at("variants"), row.at("format"));
      rows.push_back(
          {cell, escape(format), fmt::format("{:.2f}", row.at("median_ms").get<double>()),
           fmt::format("{:.2f}", row.at("p99_ms").get<double>()),
           fmt::format("{:.0f}", row.at("sequences_per_s").get<double>()),
           percent(row.at("roof_fraction")), fmt::format("{:.2f}", row.at("ratio").get<double>())});
      bars.push_back({cell + " " + format, row.at("sequences_per_s").get<double>(),
                      fmt::format("{:.0f}/s", row.at("sequences_per_s").get<double>()), series});
      if (row.contains("stages"))
        stages += html_figure(cell + ", " + format, stages_chart(row, series),
                              "Share of the time of the forward pass.");
    }
    content += html_figure(name, bar_chart(bars),
                           escape(r.at("engine").get<std::string>()) + ". Sequences per second.");
    content += html_table(
        {"", "format", ">median ms", ">p99 ms", ">sequences/s", ">of roof", ">speed"}, rows);
    content += stages;
  }
  return html_section("Speed",
                      "Medians of runs taken in turn. Speed is relative to the first format of "
                      "the cell; the roof is what the device's arithmetic does at most.",
                      content);
}

}  // namespace fp8q
