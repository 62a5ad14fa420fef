// What is asked for at every Site, before any scale is known: the one thing that recipes, options
// of the command line, plan files and searches make, and that make_plan() carries out.
//
// Recipe -> PlanRequest -> (changes: choice.h) -> Plan.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calibrate/observer.h"
#include "quantize/recipe.h"
#include "quantize/smooth_quant.h"

namespace fp8q {

struct SiteRequest {
  std::optional<Format> format;  // nullopt: stays in floating point
  Granularity granularity = Granularity::tensor;
  ObserverChoice observer;  // token: absmax
  std::string reason;       // why: "recipe e4m3", "the head stays ..."
  std::string required_by;  // who named this very Site; then it is an Error if it must stay float
  friend bool operator==(const SiteRequest&, const SiteRequest&) = default;
};

// What can be said beside the recipe for all Sites at once.
struct PlanOptions {
  bool quantize_head = false;
  bool quantize_embeddings = false;
  ObserverChoice observer = Observer::absmax;  // of activations, probabilities apart
  ObserverChoice weight_observer = Observer::absmax;
  std::optional<SmoothQuant>
      smooth_quant;  // of every input of a linear layer whose range is the absmax
  friend bool operator==(const PlanOptions&, const PlanOptions&) = default;
};

struct PlanRequest {
  std::string recipe;
  PlanOptions options;
  bool mixed = false;              // a Site has another format than the recipe gives it
  std::vector<SiteRequest> sites;  // one per Site, in their order

  std::string label() const {
    return recipe + (options.smooth_quant ? "-smooth" : "") + (mixed ? "-mixed" : "");
  }
  friend bool operator==(const PlanRequest&, const PlanRequest&) = default;
};

// What a recipe alone asks for. In a graph that was not recognized as an encoder (its Sites have
// only the roles `probabilities` and `other`) it asks for every Site; Error (unsupported) there, if
// the recipe quantizes values that enter no product, which are not known then.
PlanRequest recipe_request(const Recipe& recipe, const std::vector<Site>& sites,
                           const PlanOptions& options = {});

// The reason recipe_request() gives where it asks for a format.
std::string recipe_reason(std::string_view recipe);

// Whether the range of an activation depends on what calibration saw, or on what weights predict.
bool needs_statistics(const PlanRequest& request, const std::vector<Site>& sites);
bool needs_predictions(const PlanRequest& request, const std::vector<Site>& sites);

// Roles other than `probabilities` and `other` are given by a recognized encoder alone.
bool is_recognized(const std::vector<Site>& sites);

}  // namespace fp8q
