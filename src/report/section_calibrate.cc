// Shows what calibration saw: the Sites whose range is widest compared with their usual values.
#include <algorithm>

#include "base/error.h"
#include "report/html.h"
#include "report/section.h"

namespace fp8q {
namespace {

using json::Value;

constexpr size_t kShown = 12;

double reach(const Value& site) {
  const auto deviation = site["std"].number();
  return deviation > 0 ? site["absmax"].number() / deviation : 0;
}

}  // namespace

Html section_calibrate(const SectionInput& input) {
  Html content;
  for (const ResultFile* file : input.files) {
    const Value& r = file->json;
    std::vector<Value> sites = r["sites"].items();
    std::ranges::stable_sort(sites, std::greater{}, reach);
    if (sites.size() > kShown) sites.erase(sites.begin() + kShown, sites.end());
    std::vector<std::vector<Html>> rows;
    for (const Value& s : sites)
      rows.push_back({code(s["path"].string()), fmt::format("{:.4g}", s["absmax"].number()),
                      fmt::format("{:.4g}", s["std"].number()), fmt::format("{:.0f}", reach(s)),
                      fmt::format("{}", s["nonfinite"].unsigned_integer())});
    content += html("<p>{} examples, {} tokens.</p>", r["examples"].unsigned_integer(),
                    r["tokens"].unsigned_integer());
    content += html_table(
        {"Site", ">largest magnitude", ">deviation", ">largest / deviation", ">not finite"}, rows);
  }
  return html_section("Calibration",
                      "The activations with the furthest outliers: these are what a format with "
                      "evenly spaced values serves badly.",
                      content);
}

}  // namespace fp8q
