#include "report/json.h"
#include "report/json_common.h"

namespace fp8q {
namespace {

// An infinite ratio (no error) becomes null.
Tree json_of(const ComparedSite& s) {
  Tree site = {{"path", s.path},
               {"kind", s.kind},
               {"role", s.role},
               {"layer", s.layer < 0 ? nullptr : Tree(s.layer)},
               {"format", Tree::list({s.format_a, s.format_b})},
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

Tree json_of(const ComparedOutput& o) {
  Tree output = {
      {"name", o.name}, {"max_error", o.max_error}, {"nmse", o.nmse}, {"cosine", o.cosine}};
  if (o.decisions)
    output["decisions"] = {{"count", o.decisions->count},
                           {"kl_mean", o.decisions->kl_mean},
                           {"kl_max", o.decisions->kl_max},
                           {"agreement", o.decisions->agreement}};
  return output;
}

}  // namespace

std::string to_json(const CompareResult& r) {
  Tree json = header("compare", r.b);
  add(json, r.execution);
  json["format"] = r.format_b;
  json["reference"] = {{"model", json_of(r.a)}, {"format", r.format_a}};
  json["data"] = json_of(r.data);
  json["task"] = unless_empty(r.task);
  json["examples"] = r.examples;
  json["tokens"] = r.tokens;
  json["saturated"] = r.saturated;
  json["underflowed"] = r.underflowed;
  json["outputs"] = Tree::list(r.outputs, [](const auto& output) { return json_of(output); });
  json["sites"] = Tree::list(r.sites, [](const auto& site) { return json_of(site); });
  json["notes"] = r.notes;
  return as_text(json);
}

}  // namespace fp8q
