#include "report/json.h"
#include "report/json_common.h"

namespace fp8q {
namespace {

Tree json_of(const TuneEvaluation& e) {
  return {{"fallbacks", e.fallbacks},
          {"quantised_sites", e.quantized},
          {"time", e.time},
          {"score", e.score},
          {"difference", e.difference},
          {"interval", Tree::list({e.low, e.high})},
          {"meets", e.meets},
          {"from_checkpoint", e.from_checkpoint}};
}

Tree json_of(const TuneFallback& f) {
  return {
      {"unit", f.unit}, {"sites", f.sites}, {"from", f.from}, {"to", f.to}, {"reason", f.reason}};
}

Tree json_of(const TuneHeldOut& r) {
  return {{"score", r.score}, {"ci95", Tree::list({r.low, r.high})}};
}

Tree json_of(const TuneHeldOut& r, const std::string& test) {
  Tree json = json_of(r);
  json["difference"] = {{"score", r.difference},
                        {"ci95", Tree::list({r.difference_low, r.difference_high})},
                        {"p_value", r.p_value},
                        {"test", test}};
  return json;
}

Tree json_of(const TuneHoldout& h) {
  return {{"examples", h.examples},
          {"float", json_of(h.baseline)},
          {"recipe", json_of(h.recipe, h.test)},
          {"tuned", json_of(h.tuned, h.test)}};
}

}  // namespace

std::string to_json(const TuneResult& r) {
  Tree json = header("tune", r.model);
  add(json, r.execution);
  json["statistics"] = json_of(r.statistics);
  json["recipe"] = r.recipe;
  json["task"] = r.task;
  json["split"] = r.split;
  json["data"] = json_of(r.data);
  json["examples"] = r.examples;
  json["baseline_score"] = r.baseline;
  json["allowed_drop"] = r.allowed;
  json["confidence"] = r.confidence;
  json["sites_in_recipe"] = r.sites_in_recipe;
  json["evaluations"] = Tree::list(r.evaluations, [](const auto& e) { return json_of(e); });
  json["chosen"] = r.chosen;
  json["fallbacks"] = Tree::list(r.fallbacks, [](const auto& f) { return json_of(f); });
  json["holdout"] = r.holdout ? json_of(*r.holdout) : nullptr;
  json["plan"] = unless_empty(r.plan.string());
  json["checkpoint"] = r.checkpoint.string();
  json["notes"] = r.notes;
  return as_text(json);
}

}  // namespace fp8q
