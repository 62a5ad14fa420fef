#include "quantize/manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "calibrate/json_fields.h"
#include "quantize/tables.h"

namespace fp8q {
namespace {

using nlohmann::json;

constexpr const char* kKey = "fp8q.manifest";
constexpr const char* kSchema = "fp8q/manifest/1";
constexpr int kMaxDepth = 6;  // the deepest member lies at 4
constexpr Blame kBlame{ErrorCode::bad_model,
                       "the model's metadata is damaged: convert the source model again"};

// Then neither range nor scales are known.
bool per_token(const ManifestEntry& e) { return e.granularity == Granularity::token.text(); }

json entry_to_json(const ManifestEntry& e) {
  json out = {{"value", e.value}, {"reason", e.reason}};
  if (!e.path.empty()) out["path"] = e.path;
  if (e.format.empty()) return out;
  out["format"] = e.format;
  if (e.granularity.empty()) return out;
  out["granularity"] = e.granularity;
  if (!e.observer.empty()) out["observer"] = e.observer;
  if (per_token(e)) return out;
  out["absmax"] = e.absmax;
  out["scale"] = {e.smallest_scale, e.largest_scale};
  return out;
}

ManifestEntry entry_from_json(const Field& field) {
  ManifestEntry e;
  e.value = field["value"].string();
  e.reason = field["reason"].string();
  if (field.json().contains("path")) e.path = field["path"].string();
  if (!field.json().contains("format")) return e;
  e.format = field["format"].string();
  if (!field.json().contains("granularity")) return e;
  e.granularity = field["granularity"].string();
  if (field.json().contains("observer")) e.observer = field["observer"].string();
  if (per_token(e)) return e;
  e.absmax = field["absmax"].finite_float();
  e.smallest_scale = field["scale"].at(0).finite_float();
  e.largest_scale = field["scale"].at(1).finite_float();
  return e;
}

template <typename Entries>
json entries_to_json(const Entries& entries) {
  json out = json::array();
  for (const auto& entry : entries) out.push_back(entry_to_json(entry));
  return out;
}

std::vector<ManifestEntry> entries_from_json(const Field& field) {
  std::vector<ManifestEntry> out;
  for (size_t i = 0; i < field.size(); ++i) out.push_back(entry_from_json(field.at(i)));
  return out;
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

json parsed(const std::string& text) {
  const auto limit_depth = [](int depth, json::parse_event_t, json&) {
    if (depth > kMaxDepth) fail(kBlame.code, "{}: is nested too deeply; {}", kKey, kBlame.remedy);
    return true;
  };
  try {
    return json::parse(text, limit_depth);
  } catch (const json::exception& error) {
    fail(kBlame.code, "{}: is not JSON ({}); {}", kKey, printable(error.what()), kBlame.remedy);
  }
}

}  // namespace

Manifest manifest_of(const Plan& plan) {
  Manifest m{.source = plan.source, .recipe = plan.request.label(), .sites = {}, .tables = {}};
  for (const SitePlan& site : plan.sites) m.sites.push_back(entry_of(site));
  for (const TablePlan& table : plan.tables) m.tables.push_back(entry_of(table));
  return m;
}

void write_manifest(const Manifest& m, Model& model) {
  const json out = {{"schema", kSchema},
                    {"version", m.source.version},
                    {"source",
                     {{"name", m.source.model_name},
                      {"sha256", m.source.model_sha256},
                      {"bytes", m.source.model_bytes}}},
                    {"statistics", {{"sha256", m.source.statistics_sha256}}},
                    {"recipe", m.recipe},
                    {"sites", entries_to_json(m.sites)},
                    {"tables", entries_to_json(m.tables)}};
  try {
    model.metadata[kKey] = out.dump();
  } catch (const json::type_error&) {
    fail(ErrorCode::unsupported, "a value name of the model is not UTF-8: rename it");
  }
}

std::optional<Manifest> read_manifest(const Model& model) {
  const auto text = model.metadata.find(kKey);
  if (text == model.metadata.end()) return std::nullopt;
  const json file = parsed(text->second);
  const Field root(file, kKey, kBlame);
  if (root["schema"].string() != kSchema)
    root["schema"].reject(
        fmt::format("is \"{}\", \"{}\" was expected", printable(root["schema"].string()), kSchema));
  Manifest m{.source = {.version = root["version"].string(),
                        .model_name = root["source"]["name"].string(),
                        .model_sha256 = root["source"]["sha256"].string(),
                        .model_bytes = root["source"]["bytes"].unsigned_integer(UINT64_MAX),
                        .statistics_sha256 = root["statistics"]["sha256"].string()},
             .recipe = root["recipe"].string(),
             .sites = entries_from_json(root["sites"]),
             .tables = entries_from_json(root["tables"])};
  return m;
}

}  // namespace fp8q
