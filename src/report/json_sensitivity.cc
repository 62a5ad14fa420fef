#include "report/json.h"
#include "report/json_parts.h"

namespace fp8q {
namespace {

Json json_of(const TrialHarm& h) {
  const auto number = [](const std::optional<double>& x) { return x ? Json(*x) : Json(nullptr); };
  Json json = {{"divergence", h.divergence},
               {"nmse", h.nmse},
               {"loss", number(h.loss)},
               {"agreement", number(h.agreement)}};
  if (h.score) json["score"] = *h.score;
  return json;
}

Json layer_of(int layer) { return layer < 0 ? Json(nullptr) : Json(layer); }

// An infinite ratio (no error) becomes null.
Json json_of(const SensitivitySite& s, const std::vector<std::string>& formats) {
  const auto& d = s.distribution;
  Json fits = Json::object();
  for (const auto& [name, decibels] : s.fit_db) fits[name] = decibels;
  Json in_formats = Json::object();
  for (size_t f = 0; f < formats.size(); ++f)
    in_formats[formats[f]] = {{"sqnr_db", s.formats[f].sqnr_db},
                              {"rank", s.formats[f].rank},
                              {"alone", json_of(s.formats[f].alone)},
                              {"left_out", json_of(s.formats[f].left_out)}};
  return {{"path", s.path},
          {"name", s.name},
          {"kind", s.kind},
          {"role", s.role},
          {"layer", layer_of(s.layer)},
          {"distribution",
           {{"absmax", d.absmax},
            {"std", d.std},
            {"kurtosis", d.kurtosis},
            {"outlier_ratio", d.outlier_ratio},
            {"beyond_6_rms", d.beyond_6_rms},
            {"dynamic_range_db", d.dynamic_range_db}}},
          {"best", {{"format", s.best_format}, {"reason", s.best_reason}, {"sqnr_db", fits}}},
          {"formats", in_formats}};
}

Json json_of(const std::vector<SensitivityGroup>& groups, const std::vector<std::string>& formats) {
  Json list = Json::array();
  for (const SensitivityGroup& group : groups) {
    Json sums = Json::object();
    for (size_t f = 0; f < formats.size(); ++f)
      sums[formats[f]] = {{"alone", group.formats[f].alone}, {"gain", group.formats[f].gain}};
    list.push_back({{"name", group.name}, {"sites", group.sites}, {"formats", sums}});
  }
  return list;
}

}  // namespace

Json to_json(const SensitivityResult& r) {
  Json json = header("sensitivity", r.model);
  add(json, r.execution);
  json["statistics"] = json_of(r.statistics);
  json["recipe"] = r.recipe;
  json["data"] = json_of(r.data);
  json["examples"] = r.examples;
  json["tokens"] = r.tokens;
  json["task"] = r.task.empty() ? Json(nullptr) : Json(r.task);
  json["trials"] = r.trials;
  json["float"] = json_of(r.none);
  json["whole"] = Json::object();
  for (size_t f = 0; f < r.formats.size(); ++f) json["whole"][r.formats[f]] = json_of(r.whole[f]);
  json["roles"] = json_of(r.roles, r.formats);
  json["layers"] = json_of(r.layers, r.formats);
  json["sites"] = Json::array();
  for (const SensitivitySite& site : r.sites) json["sites"].push_back(json_of(site, r.formats));
  json["notes"] = r.notes;
  return json;
}

}  // namespace fp8q
