#include "report/json.h"
#include "report/json_common.h"

namespace fp8q {
namespace {

Tree json_of(const TrialHarm& h) {
  Tree json = {
      {"divergence", h.divergence}, {"nmse", h.nmse}, {"loss", h.loss}, {"agreement", h.agreement}};
  if (h.score) json["score"] = *h.score;
  return json;
}

Tree layer_of(int layer) { return layer < 0 ? nullptr : Tree(layer); }

// An infinite ratio (no error) becomes null.
Tree json_of(const SensitivitySite& s, const std::vector<std::string>& formats) {
  const auto& d = s.distribution;
  Tree fits = Tree::object();
  for (const auto& [name, decibels] : s.fit_db) fits[name] = decibels;
  Tree in_formats = Tree::object();
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

Tree json_of(const std::vector<SensitivityGroup>& groups, const std::vector<std::string>& formats) {
  return Tree::list(groups, [&](const SensitivityGroup& group) {
    Tree sums = Tree::object();
    for (size_t f = 0; f < formats.size(); ++f)
      sums[formats[f]] = {{"alone", group.formats[f].alone}, {"gain", group.formats[f].gain}};
    return Tree{{"name", group.name}, {"sites", group.sites}, {"formats", sums}};
  });
}

}  // namespace

std::string to_json(const SensitivityResult& r) {
  Tree json = header("sensitivity", r.model);
  add(json, r.execution);
  json["statistics"] = json_of(r.statistics);
  json["recipe"] = r.recipe;
  json["data"] = json_of(r.data);
  json["examples"] = r.examples;
  json["tokens"] = r.tokens;
  json["task"] = unless_empty(r.task);
  json["trials"] = r.trials;
  json["float"] = json_of(r.none);
  json["whole"] = Tree::object();
  for (size_t f = 0; f < r.formats.size(); ++f) json["whole"][r.formats[f]] = json_of(r.whole[f]);
  json["roles"] = json_of(r.roles, r.formats);
  json["layers"] = json_of(r.layers, r.formats);
  json["sites"] =
      Tree::list(r.sites, [&](const SensitivitySite& site) { return json_of(site, r.formats); });
  json["notes"] = r.notes;
  return as_text(json);
}

}  // namespace fp8q
