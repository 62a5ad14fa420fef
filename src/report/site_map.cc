#include "report/site_map.h"

#include <algorithm>
#include <cmath>

namespace fp8q {
namespace {

size_t index_in(std::vector<std::string>& names, const std::string& name) {
  const auto it = std::ranges::find(names, name);
  if (it != names.end()) return static_cast<size_t>(it - names.begin());
  names.push_back(name);
  return names.size() - 1;
}

}  // namespace

std::optional<double> decibels_of(const json::Value& site) {
  if (!site.has("sqnr_db")) return std::nullopt;
  const auto value = site.find("sqnr_db");
  return value ? value->number() : INFINITY;
}

SiteDecibels decibels_by_path(const json::Value& sites) {
  SiteDecibels list;
  for (const json::Value& site : sites.items())
    list.emplace_back(site["path"].string(), decibels_of(site));
  return list;
}

HeatMap decibel_map(const SiteDecibels& sites) {
  HeatMap map{.low = 10, .high = 45, .unit = " dB"};
  for (const auto& [path, decibels] : sites) {
    const size_t slash = std::min(path.find('/'), path.size());
    const size_t row = index_in(map.rows, path.substr(0, slash));
    const size_t column =
        index_in(map.columns, slash < path.size() ? path.substr(slash + 1) : "value");
    map.values.resize(map.rows.size());
    for (auto& cells : map.values) cells.resize(map.columns.size());
    map.values[row][column] = decibels;
  }
  return map;
}

}  // namespace fp8q
