// Turns the options of a conversion into a request for every Site.
#pragma once

#include "fp8q/convert.h"
#include "quantize/plan_file.h"

namespace fp8q {

// Holds the options that need no model. They are checked before a model is opened. Errors (usage)
// name the option.
struct PlanInputs {
  const Recipe* recipe = nullptr;
  PlanOptions options;
  std::vector<SiteChoice> choices;  // those of the plan file, then those of --site
  // These tell which model the plan file was written for. Both are empty if the file does not say,
  // or if there is no plan file.
  std::string model_name;
  std::string model_sha256;
};
PlanInputs plan_inputs(const ConvertOptions& options);

PlanRequest plan_request(const PlanInputs& inputs, const std::vector<Site>& sites);

}  // namespace fp8q
