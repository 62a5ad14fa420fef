#include "api/convert_request.h"

#include "base/error.h"

namespace fp8q {
namespace {

const Recipe& recipe_for(const std::string& name, const std::string& where) {
  return name.empty() ? default_recipe() : require_recipe(name, where);
}

ObserverChoice observer_for(const std::string& text, const char* option) {
  return text.empty() ? ObserverChoice() : ObserverChoice::parse(text, option);
}

// Throws an Error (usage) that begins with `where` if the observer says nothing about weights.
void check_serves_weights(Observer observer, const std::string& where) {
  if (!serves_weights(observer))
    fail(ErrorCode::usage, "{}: observer {} is for activations; choose another one for weights",
         where, info(observer).name);
}

void refuse_beside_plan(const std::string& value, const char* option) {
  if (!value.empty())
    fail(ErrorCode::usage,
         "{} and --plan exclude each other: the plan holds it; --site changes single Sites",
         option);
}

void take_plan_file(const ConvertOptions& options, PlanInputs& inputs) {
  refuse_beside_plan(options.recipe, "--format");
  refuse_beside_plan(options.observer, "--observer");
  refuse_beside_plan(options.weight_observer, "--weight-observer");
  refuse_beside_plan(options.smooth_quant, "--smooth-quant");
  PlanFile file = load_plan(*options.plan);
  inputs.recipe = &recipe_for(file.recipe, printable(options.plan->string()) + ".recipe");
  inputs.options.quantize_head |= file.quantize_head;
  inputs.options.quantize_embeddings |= file.quantize_embeddings;
  inputs.options.smooth_quant = file.smooth_quant;
  inputs.choices = std::move(file.choices);
  inputs.model_name = file.model_name;
  inputs.model_sha256 = file.model_sha256;
}

void check_smoothing(const ConvertOptions& options, const PlanOptions& wanted) {
  if (wanted.observer != Observer::absmax)
    fail(ErrorCode::usage,
         "--observer {} and --smooth-quant exclude each other: smoothed ranges are the absmax of "
         "channels, which have no histograms; --site 'PATTERN=:{}' chooses it for single Sites, "
         "which then stay as they are",
         wanted.observer.text(), wanted.observer.text());
  if (options.write_ranges)
    fail(
        ErrorCode::usage,
        "--write-ranges and --smooth-quant exclude each other: ranges of smoothed values are of no "
        "use beside a model that does not smooth them");
}

}  // namespace

PlanInputs plan_inputs(const ConvertOptions& options) {
  PlanInputs inputs;
  inputs.options.quantize_head = options.quantize_head;
  inputs.options.quantize_embeddings = options.quantize_embeddings;
  if (options.plan) take_plan_file(options, inputs);
  else inputs.recipe = &recipe_for(options.recipe, "--format");
  if (!options.observer.empty() && inputs.recipe->activation_granularity == Granularity::token)
    fail(ErrorCode::usage,
         "--observer: recipe {} takes the absmax of each token while the model runs; leave it out, "
         "or choose a recipe with static scales",
         inputs.recipe->name);
  inputs.options.observer = observer_for(options.observer, "--observer");
  inputs.options.weight_observer = observer_for(options.weight_observer, "--weight-observer");
  check_serves_weights(inputs.options.weight_observer.id, "--weight-observer");
  if (!options.smooth_quant.empty())
    inputs.options.smooth_quant = SmoothQuant::parse(options.smooth_quant, "--smooth-quant");
  if (inputs.options.smooth_quant) check_smoothing(options, inputs.options);
  for (const std::string& text : options.sites) inputs.choices.push_back(parse_site_choice(text));
  return inputs;
}

PlanRequest plan_request(const PlanInputs& inputs, const std::vector<Site>& sites) {
  PlanRequest request = recipe_request(*inputs.recipe, sites, inputs.options);
  apply_choices(inputs.choices, sites, request);
  for (size_t i = 0; i < sites.size(); ++i)
    if (sites[i].kind == SiteKind::weight && request.sites[i].format)
      check_serves_weights(request.sites[i].observer.id, printable(sites[i].path));
  return request;
}

}  // namespace fp8q
