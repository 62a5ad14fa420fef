// A PlanRequest says what is asked for at every Site, before any scale is known. Recipes, options
// of the command line, plan files and searches all make one, and make_plan() carries it out.
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
  ObserverChoice observer;  // absmax for scales per token
  std::string reason;       // why: "recipe e4m3", "the head stays ..."
  std::string required_by;  // who named this Site; if set, having to stay float is an Error
  friend bool operator==(const SiteRequest&, const SiteRequest&) = default;
};

// Holds the options that apply to all Sites at once, in addition to the recipe.
struct PlanOptions {
  bool quantize_head = false;
  bool quantize_embeddings = false;
  ObserverChoice observer = Observer::absmax;  // for activations, except probabilities
  ObserverChoice weight_observer = Observer::absmax;
  std::optional<SmoothQuant> smooth_quant;  // for inputs of linear layers with absmax ranges
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

// Returns what a recipe alone asks for. In a graph that was not recognized as an encoder (its Sites
// have only the roles `probabilities`, `head` and `other`) the recipe asks for every Site, but for
// the head only if the options do. For such a graph, throws an Error (unsupported) if the recipe
// quantizes values that enter no product, because these are not known there.
PlanRequest recipe_request(const Recipe& recipe, const std::vector<Site>& sites,
                           const PlanOptions& options = {});

// Returns the reason that recipe_request() gives if it asks for a format.
std::string recipe_reason(std::string_view recipe);

// Each returns whether the range of any activation depends on what calibration saw, or on what
// weights predict.
bool needs_statistics(const PlanRequest& request, const std::vector<Site>& sites);
bool needs_predictions(const PlanRequest& request, const std::vector<Site>& sites);

// Returns whether the graph was recognized as an encoder. Only a recognized encoder gives roles
// other than `probabilities`, `head` and `other`.
bool is_recognized(const std::vector<Site>& sites);

}  // namespace fp8q
