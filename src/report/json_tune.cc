#include "report/json.h"
#include "report/json_parts.h"

namespace fp8q {
namespace {

Json json_of(const TuneEvaluation& e) {
  return {{"fallbacks", e.fallbacks},
          {"quantised_sites", e.quantised},
          {"time", e.time},
          {"score", e.score},
          {"difference", e.difference},
          {"interval", {e.low, e.high}},
          {"meets", e.meets},
          {"from_checkpoint", e.from_checkpoint}};
}

Json json_of(const TuneFallback& f) {
  return {
      {"unit", f.unit}, {"sites", f.sites}, {"from", f.from}, {"to", f.to}, {"reason", f.reason}};
}

Json json_of(const TuneHeldOut& r) { return {{"score", r.score}, {"ci95", {r.low, r.high}}}; }

Json json_of(const TuneHeldOut& r, const std::string& test) {
  Json json = json_of(r);
  json["difference"] = {{"score", r.difference},
                        {"ci95", {r.difference_low, r.difference_high}},
                        {"p_value", r.p_value},
                        {"test", test}};
  return json;
}

Json json_of(const TuneHoldout& h) {
  return {{"examples", h.examples},
          {"float", json_of(h.baseline)},
          {"recipe", json_of(h.recipe, h.test)},
          {"tuned", json_of(h.tuned, h.test)}};
}

}  // namespace

Json to_json(const TuneResult& r) {
  Json json = header("tune", r.model);
  add(json, r.execution);
  json["statistics"] = json_of(r.statistics);
  json["recipe"] = r.recipe;
  json["task"] = r.task;
  json["split"] = r.split;
  json["data"] = json_of(r.data);
  json["examples"] = r.examples;
  json["baseline_score"] = r.baseline;
  json["allowed_drop"] = r.allowed;
  json["confidence"] = r.confidence ? Json(*r.confidence) : Json(nullptr);
  json["sites_in_recipe"] = r.sites_in_recipe;
  json["evaluations"] = Json::array();
  for (const TuneEvaluation& e : r.evaluations) json["evaluations"].push_back(json_of(e));
  json["chosen"] = r.chosen ? Json(*r.chosen) : Json(nullptr);
  json["fallbacks"] = Json::array();
  for (const TuneFallback& f : r.fallbacks) json["fallbacks"].push_back(json_of(f));
  json["holdout"] = r.holdout ? json_of(*r.holdout) : Json(nullptr);
  json["plan"] = r.plan.empty() ? Json(nullptr) : Json(r.plan.string());
  json["checkpoint"] = r.checkpoint.string();
  json["notes"] = r.notes;
  return json;
}

}  // namespace fp8q
