#include "report/site_map.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"

namespace fp8q {
namespace {

// The largest encoders have about 1000 cells. Names that form no table would need a cell for each
// pair of two Sites.
constexpr size_t kMaxCells = 20'000;

// Numbers names in the order in which they come.
class Names {
 public:
  size_t index_of(const std::string& name) {
    const auto [entry, fresh] = indices_.try_emplace(name, list_.size());
    if (fresh) list_.push_back(name);
    return entry->second;
  }
  size_t count() const { return list_.size(); }
  std::vector<std::string> take() { return std::move(list_); }

 private:
  std::map<std::string, size_t> indices_;
  std::vector<std::string> list_;
};

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
  Names rows, columns;
  std::vector<std::pair<size_t, size_t>> places;
  for (const auto& [path, decibels] : sites) {
    const size_t slash = std::min(path.find('/'), path.size());
    const size_t row = rows.index_of(path.substr(0, slash));
    places.emplace_back(row,
                        columns.index_of(slash < path.size() ? path.substr(slash + 1) : "value"));
    if (rows.count() * columns.count() > kMaxCells)
      fail(ErrorCode::limit,
           "the paths of the Sites form a table of {} rows and {} columns; a report draws {} cells "
           "at most",
           rows.count(), columns.count(), kMaxCells);
  }
  HeatMap map{.low = 10, .high = 45, .unit = " dB"};
  map.values.assign(rows.count(), std::vector<std::optional<double>>(columns.count()));
  for (size_t i = 0; i < sites.size(); ++i)
    map.values[places[i].first][places[i].second] = sites[i].second;
  map.rows = rows.take();
  map.columns = columns.take();
  return map;
}

}  // namespace fp8q
