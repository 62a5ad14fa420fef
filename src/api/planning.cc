#include "api/planning.h"

#include "base/error.h"

namespace fp8q {
namespace {

const Recipe& recipe_for(const std::string& name, const std::string& where) {
  if (name.empty()) return default_recipe();
  const Recipe* recipe = recipe_named(name);
  if (!recipe)
    fail(ErrorCode::usage, "{}: \"{}\" is none of {}", where, printable(name),
         fmt::join(recipe_names(), ", "));
  return *recipe;
}

ObserverChoice observer_for(const std::string& text, const char* option) {
  return text.empty() ? ObserverChoice() : ObserverChoice::parse(text, option);
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
  PlanFile file = load_plan(*options.plan);
  inputs.recipe = &recipe_for(file.recipe, printable(options.plan->string()) + ".recipe");
  inputs.options.quantize_head |= file.quantize_head;
  inputs.options.quantize_embeddings |= file.quantize_embeddings;
  inputs.choices = std::move(file.choices);
  inputs.model_name = file.model_name;
  inputs.model_sha256 = file.model_sha256;
}

}  // namespace

PlanInputs plan_inputs(const ConvertOptions& options) {
  PlanInputs inputs;
  inputs.options.quantize_head = options.quantize_head;
  inputs.options.quantize_embeddings = options.quantize_embeddings;
  if (options.plan) take_plan_file(options, inputs);
  else inputs.recipe = &recipe_for(options.recipe, "--format");
  inputs.options.observer = observer_for(options.observer, "--observer");
  inputs.options.weight_observer = observer_for(options.weight_observer, "--weight-observer");
  for (const std::string& text : options.sites) inputs.choices.push_back(parse_site_choice(text));
  return inputs;
}

PlanRequest plan_request(const PlanInputs& inputs, const std::vector<Site>& sites) {
  PlanRequest request = recipe_request(*inputs.recipe, sites, inputs.options);
  apply_choices(inputs.choices, sites, request);
  return request;
}

bool needs_statistics(const PlanRequest& request, const std::vector<Site>& sites) {
  for (size_t i = 0; i < sites.size(); ++i)
    if (sites[i].kind == SiteKind::activation && request.sites[i].format &&
        request.sites[i].observer.id != Observer::fixed)
      return true;
  return false;
}

}  // namespace fp8q
