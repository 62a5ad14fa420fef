#include "report/json.h"
#include "report/json_parts.h"

namespace fp8q {
namespace {

// An infinite ratio (no error) becomes null.
Json json_of(const ComparedSite& s) {
  Json site = {{"path", s.path},
               {"kind", s.kind},
               {"role", s.role},
               {"layer", s.layer < 0 ? Json(nullptr) : Json(s.layer)},
               {"format", {s.format_a, s.format_b}},
               {"values", s.values},
               {"nonfinite", s.nonfinite},
               {"sqnr_db", s.sqnr_db},
               {"cosine", s.cosine},
               {"max_error", s.max_error}};
  if (s.format_b == "float") return site;
  if (s.rounding_sqnr_db) site["rounding_sqnr_db"] = *s.rounding_sqnr_db;
  site["saturated"] = s.saturated;
  site["underflowed"] = s.underflowed;
  return site;
}

Json json_of(const ComparedOutput& o) {
  Json output = {
      {"name", o.name}, {"max_error", o.max_error}, {"nmse", o.nmse}, {"cosine", o.cosine}};
  if (o.decisions)
    output["decisions"] = {{"count", o.decisions->count},
                           {"kl_mean", o.decisions->kl_mean},
                           {"kl_max", o.decisions->kl_max},
                           {"agreement", o.decisions->agreement}};
  return output;
}

}  // namespace

Json to_json(const CompareResult& r) {
  Json json = header("compare", r.b);
  add(json, r.execution);
  json["format"] = r.format_b;
  json["reference"] = {{"model", json_of(r.a)}, {"format", r.format_a}};
  json["data"] = json_of(r.data);
  json["task"] = r.task.empty() ? Json(nullptr) : Json(r.task);
  json["examples"] = r.examples;
  json["tokens"] = r.tokens;
  json["saturated"] = r.saturated;
  json["underflowed"] = r.underflowed;
  json["outputs"] = Json::array();
  for (const ComparedOutput& output : r.outputs) json["outputs"].push_back(json_of(output));
  json["sites"] = Json::array();
  for (const ComparedSite& site : r.sites) json["sites"].push_back(json_of(site));
  json["notes"] = r.notes;
  return json;
}

}  // namespace fp8q
