#include "quantize/manifest.h"

#include <algorithm>

#include "json/document.h"
#include "json/tree.h"
#include "quantize/tables.h"

namespace fp8q {
namespace {

using json::Tree;
using json::Value;

constexpr const char* kKey = "fp8q.manifest";
constexpr const char* kSchema = "fp8q/manifest/1";
constexpr json::Kind kKind{
    .remedy = "the model's metadata is damaged: convert the source model again",
    .code = ErrorCode::bad_model};

// An entry with a scale per token knows neither range nor scales.
bool per_token(const ManifestEntry& e) { return e.granularity == Granularity::token.text(); }

Tree entry_to_json(const ManifestEntry& e) {
  Tree out = {{"value", e.value}, {"reason", e.reason}};
  if (!e.path.empty()) out["path"] = e.path;
  if (e.format.empty()) return out;
  out["format"] = e.format;
  if (e.granularity.empty()) return out;
  out["granularity"] = e.granularity;
  if (!e.observer.empty()) out["observer"] = e.observer;
  if (per_token(e)) return out;
  out["absmax"] = e.absmax;
  out["scale"] = Tree::list({e.smallest_scale, e.largest_scale});
  return out;
}

ManifestEntry entry_from_json(const Value& field) {
  ManifestEntry e;
  e.value = field["value"].string();
  e.reason = field["reason"].string();
  if (field.has("path")) e.path = field["path"].string();
  if (!field.has("format")) return e;
  e.format = field["format"].string();
  if (!field.has("granularity")) return e;
  e.granularity = field["granularity"].string();
  if (field.has("observer")) e.observer = field["observer"].string();
  if (per_token(e)) return e;
  e.absmax = field["absmax"].finite_float();
  e.smallest_scale = field["scale"].at(0).finite_float();
  e.largest_scale = field["scale"].at(1).finite_float();
  return e;
}

void set_scales(ManifestEntry& entry, const std::vector<float>& scales) {
  if (scales.empty()) return;  // a matrix without columns, or scales found at run time
  const auto [smallest, largest] = std::ranges::minmax_element(scales);
  entry.smallest_scale = *smallest;
  entry.largest_scale = *largest;
}

ManifestEntry entry_of(const SitePlan& site) {
  ManifestEntry entry{.path = site.path, .value = site.value, .reason = site.reason};
  if (!site.quantized()) return entry;
  entry.format = info(site.format).name;
  entry.granularity = site.granularity.text();
  entry.observer = site.observer.text();
  entry.absmax = site.absmax;
  set_scales(entry, site.scales);
  return entry;
}

ManifestEntry entry_of(const TablePlan& table) {
  ManifestEntry entry{.value = table.value, .reason = table.reason};
  if (table.storage == TableStorage::float16) entry.format = "float16";
  if (table.storage != TableStorage::quantized_rows) return entry;
  entry.format = info(kTableFormat).name;
  entry.granularity = "row";
  set_scales(entry, table.scales);
  entry.absmax = table.absmax;
  return entry;
}

}  // namespace

Manifest manifest_of(const Plan& plan) {
  Manifest m{.source = plan.source, .recipe = plan.request.label(), .sites = {}, .tables = {}};
  for (const SitePlan& site : plan.sites) m.sites.push_back(entry_of(site));
  for (const TablePlan& table : plan.tables) m.tables.push_back(entry_of(table));
  return m;
}

void write_manifest(const Manifest& m, Model& model) {
  const Tree out = {{"schema", kSchema},
                    {"version", m.source.version},
                    {"source",
                     {{"name", m.source.model_name},
                      {"sha256", m.source.model_sha256},
                      {"bytes", m.source.model_bytes}}},
                    {"statistics", {{"sha256", m.source.statistics_sha256}}},
                    {"recipe", m.recipe},
                    {"sites", Tree::list(m.sites, entry_to_json)},
                    {"tables", Tree::list(m.tables, entry_to_json)}};
  model.metadata[kKey] =
      out.text({.sorted = true, .not_utf8 = "a value name of the model is not UTF-8: rename it"});
}

std::optional<Manifest> read_manifest(const Model& model) {
  const auto text = model.metadata.find(kKey);
  if (text == model.metadata.end()) return std::nullopt;
  const json::Document file = json::Document::parse(text->second, kKey, kKind);
  const Value root = file.root();
  root["schema"].must_be(kSchema);
  Manifest m{.source = {.version = root["version"].string(),
                        .model_name = root["source"]["name"].string(),
                        .model_sha256 = root["source"]["sha256"].string(),
                        .model_bytes = root["source"]["bytes"].unsigned_integer(),
                        .statistics_sha256 = root["statistics"]["sha256"].string()},
             .recipe = root["recipe"].string(),
             .sites = json::list_of(root["sites"], entry_from_json),
             .tables = json::list_of(root["tables"], entry_from_json)};
  return m;
}

}  // namespace fp8q
