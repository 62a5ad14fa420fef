// From the options of a conversion to what is asked for at every Site.
#pragma once

#include "fp8q/convert.h"
#include "quantize/plan_file.h"

namespace fp8q {

// The options that need no model, checked before one is opened. Errors (usage) name the option.
struct PlanInputs {
  const Recipe* recipe = nullptr;
  PlanOptions options;
  std::vector<SiteChoice> choices;  // of the plan file, then of --site
  // The model a plan file was written for; empty: it does not say, or there is none.
  std::string model_name;
  std::string model_sha256;
};
PlanInputs plan_inputs(const ConvertOptions& options);

PlanRequest plan_request(const PlanInputs& inputs, const std::vector<Site>& sites);

}  // namespace fp8q
