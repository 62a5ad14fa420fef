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

// Error (usage), beginning with `where`: the observer says nothing about weights.
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

void take_ranges(const RangeTable& table, const fs::path& source, const std::vector<Site>& sites,
                 PlanRequest& request) {
  std::vector<std::string> missing;
  for (size_t i = 0; i < sites.size(); ++i) {
    SiteRequest& wanted = request.sites[i];
    if (sites[i].kind != SiteKind::activation || !wanted.format ||
        wanted.granularity == Granularity::token || !needs_statistics(wanted.observer.id))
      continue;
    const auto found = table.ranges.find(sites[i].value);
    if (found == table.ranges.end()) {
      missing.push_back(fmt::format("{} (\"{}\")", sites[i].path, printable(sites[i].value)));
      continue;
    }
    wanted.observer = {Observer::fixed, found->second};
    wanted.reason += fmt::format("; range from {}", printable(source.filename().string()));
  }
  if (!missing.empty())
    fail(ErrorCode::bad_data,
         "{}: this {} has no range for {} Sites, the first is {}; calibrate with fp8q, or decide "
         "for them with --site 'PATH=float' or --site 'PATH=:fixed:RANGE'",
         printable(source.string()), table.origin, missing.size(), missing.front());
}

RangeTable ranges_of(const Plan& plan) {
  RangeTable table;
  for (const SitePlan& site : plan.sites)
    if (site.quantized() && site.kind == SiteKind::activation && !site.per_token())
      table.ranges[site.value] = site.absmax;
  return table;
}

namespace {

bool any_activation(const PlanRequest& request, const std::vector<Site>& sites,
                    bool (*needs)(Observer)) {
  for (size_t i = 0; i < sites.size(); ++i)
    if (sites[i].kind == SiteKind::activation && request.sites[i].format &&
        request.sites[i].granularity != Granularity::token && needs(request.sites[i].observer.id))
      return true;
  return false;
}

}  // namespace

bool needs_statistics(const PlanRequest& request, const std::vector<Site>& sites) {
  return request.options.smooth_quant || any_activation(request, sites, needs_statistics);
}

bool needs_predictions(const PlanRequest& request, const std::vector<Site>& sites) {
  return any_activation(request, sites, needs_prediction);
}

}  // namespace fp8q
