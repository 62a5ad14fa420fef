// Shows speed: the latency of each cell, and where the time goes.
#include <map>

#include "base/error.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/section.h"

namespace fp8q {
namespace {

using json::Value;

std::string percent(const Value& fraction) {
  return fraction.is_null() ? "" : fmt::format("{:.0f} %", 100 * fraction.number());
}

// Returns the color of each format, by the order of the variants in a cell.
std::map<std::string, int> series_by_format(const Value& variants) {
  std::map<std::string, int> series;
  for (size_t i = 0; i < variants.size(); ++i)
    series.try_emplace(variants.at(i)["format"].string(), static_cast<int>(i % 6));
  return series;
}

Html stages_chart(const Value& row, int series) {
  std::vector<Bar> bars;
  for (const Value& stage : row["stages"].items())
    bars.push_back(
        {stage["stage"].string(), stage["share"].number(), percent(stage["share"]), series});
  return bar_chart(bars);
}

}  // namespace

Html section_bench(const SectionInput& input) {
  Html content;
  for (const ResultFile* file : input.files) {
    const Value& r = file->json;
    const std::string name =
        r["shape"].is_null() ? r["model"]["path"].string() : r["shape"].string();
    std::vector<std::vector<Html>> rows;
    std::vector<Bar> bars;
    Html stages;
    std::map<std::string, int> series_of = series_by_format(r["variants"]);
    for (const Value& row : r["rows"].items()) {
      const auto format = row["format"].string();
      const auto cell = fmt::format("batch {}, length {}", row["batch"].unsigned_integer(),
                                    row["sequence"].unsigned_integer());
      const int series = series_of[format];
      rows.push_back({cell, format, fmt::format("{:.2f}", row["median_ms"].number()),
                      fmt::format("{:.2f}", row["p99_ms"].number()),
                      fmt::format("{:.0f}", row["sequences_per_s"].number()),
                      percent(row["roof_fraction"]), fmt::format("{:.2f}", row["ratio"].number())});
      bars.push_back({cell + " " + format, row["sequences_per_s"].number(),
                      fmt::format("{:.0f}/s", row["sequences_per_s"].number()), series});
      if (row.has("stages"))
        stages += html_figure(cell + ", " + format, stages_chart(row, series),
                              "Share of the time of the forward pass.");
    }
    content += html_figure(name, bar_chart(bars), r["engine"].string() + ". Sequences per second.");
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
