// What calibration saw: the Sites whose range is widest for what they usually hold.
#include <algorithm>

#include "base/error.h"
#include "report/html.h"
#include "report/section.h"

namespace fp8q {
namespace {

using nlohmann::json;

constexpr size_t kShown = 12;

double reach(const json& site) {
  const auto deviation = site.at("std").get<double>();
  return deviation > 0 ? site.at("absmax").get<double>() / deviation : 0;
}

}  // namespace

std::string section_calibrate(const SectionInput& input) {
  std::string content;
  for (const ResultFile* file : input.files) {
    const json& r = file->json;
    std::vector<const json*> sites;
    for (const json& site : r.at("sites")) sites.push_back(&site);
    std::ranges::stable_sort(sites, std::greater{}, [](const json* s) { return reach(*s); });
    if (sites.size() > kShown) sites.resize(kShown);
    std::vector<std::vector<std::string>> rows;
    for (const json* s : sites)
      rows.push_back({"<code>" + escape(s->at("path").get<std::string>()) + "</code>",
                      fmt::format("{:.4g}", s->at("absmax").get<double>()),
                      fmt::format("{:.4g}", s->at("std").get<double>()),
                      fmt::format("{:.0f}", reach(*s)),
                      fmt::format("{}", s->at("nonfinite").get<uint64_t>())});
    content += fmt::format("<p>{} examples, {} tokens.</p>", r.at("examples").get<uint64_t>(),
                           r.at("tokens").get<uint64_t>());
    content += html_table(
        {"Site", ">largest magnitude", ">deviation", ">largest / deviation", ">not finite"}, rows);
  }
  return html_section("Calibration",
                      "The activations with the furthest outliers: these are what a format with "
                      "evenly spaced values serves badly.",
                      content);
}

}  // namespace fp8q
