#include "fp8q/sensitivity.h"

#include <algorithm>
#include <functional>

#include "api/option_checks.h"
#include "api/plan_maker.h"
#include "base/error.h"
#include "base/file_facts.h"
#include "base/threads.h"
#include "evaluate/text_batches.h"
#include "graph/site_names.h"
#include "quantize/constants.h"
#include "session/calibration_text.h"
#include "session/execution.h"
#include "session/model_statistics.h"
#include "session/task_scorer.h"
#include "study/format_fit.h"
#include "study/sensitivity.h"
#include "text/encodings.h"

namespace fp8q {
namespace {

using InFormat = SensitivitySite::InFormat;

// What the options ask for, checked before a model is opened.
struct Request {
  const Recipe* recipe = nullptr;
  PlanOptions plan;
  std::vector<Format> formats;
};

Request request_of(const SensitivityOptions& options) {
  Request request;
  request.recipe = &require_recipe(options.recipe, "--recipe");
  request.plan.observer = ObserverChoice::parse(options.observer, "--observer");
  request.plan.quantize_head = true;
  for (const std::string& name : options.formats) {
    const auto format = format_named(name);
    if (!format) fail(ErrorCode::usage, "--formats: \"{}\" is no format", printable(name));
    request.formats.push_back(*format);
  }
  if (request.formats.empty()) fail(ErrorCode::usage, "--formats: names no format");
  require_at_least("--examples", options.examples, 1);
  require_at_least("--batch", options.execution.batch, 1);
  if (options.execution.device != "cpu" && options.execution.device != "auto")
    fail(ErrorCode::usage, "--device {}: trials run on the CPU, in FP32; leave the option out",
         printable(options.execution.device));
  return request;
}

TrialHarm told(const Harm& harm) {
  return {harm.divergence, harm.nmse, harm.loss, harm.agreement, harm.score};
}

FormatFit fit_of(const Site& site, const SitePlan& plan, const GraphIndex& index,
                 const Statistics& statistics) {
  if (site.kind == SiteKind::weight) {
    const auto weight = constant_contents(index, site.value);
    FP8Q_ASSERT(weight.has_value());  // the plan quantises it
    return fit_of_weight(weight->to(DType::f32), plan.axis.axis);
  }
  const SiteStatistics* seen = statistics.find(site.value);
  return fit_of_statistics(seen ? *seen : SiteStatistics());
}

SensitivitySite described(const Site& site, const FormatFit& fit) {
  const Distribution& d = fit.distribution;
  SensitivitySite s;
  s.path = site.path;
  s.name = site.value;
  s.kind = name_of(site.kind);
  s.role = role_in_path(site.path);
  s.layer = site.layer;
  s.distribution = {d.absmax,        d.std,          d.kurtosis,
                    d.outlier_ratio, d.beyond_6_rms, d.dynamic_range_db};
  s.best_format = fit.best_format().name;
  s.best_reason = fit.reason;
  for (size_t f = 0; f < fit.sqnr_db.size(); ++f)
    s.fit_db.emplace_back(study_formats()[f].name, fit.sqnr_db[f]);
  return s;
}

void add_ranks(std::vector<SensitivitySite>& sites, size_t format) {
  std::vector<InFormat*> ranked;
  for (SensitivitySite& site : sites) ranked.push_back(&site.formats[format]);
  std::ranges::stable_sort(ranked, std::greater(),
                           [](const InFormat* f) { return f->alone.divergence; });
  for (size_t i = 0; i < ranked.size(); ++i) ranked[i]->rank = i + 1;
}

// Sums over the Sites for which name_of() gives the same name, in the order of their first Sites.
template <typename NameOf>
std::vector<SensitivityGroup> grouped(const SensitivityResult& result, NameOf&& name_of) {
  std::vector<SensitivityGroup> groups;
  for (const SensitivitySite& site : result.sites) {
    const std::string name = name_of(site);
    auto group = std::ranges::find(groups, name, &SensitivityGroup::name);
    if (group == groups.end())
      group = groups.insert(groups.end(),
                            {name, 0, std::vector<SensitivityGroup::Sum>(result.formats.size())});
    ++group->sites;
    for (size_t f = 0; f < result.formats.size(); ++f) {
      group->formats[f].alone += site.formats[f].alone.divergence;
      group->formats[f].gain += result.whole[f].divergence - site.formats[f].left_out.divergence;
    }
  }
  return groups;
}

class Study {
 public:
  Study(PlanMaker& plans, const SensitivityInputs& inputs, const ProgressCallback& progress)
      : plans_(plans), inputs_(inputs), progress_(progress) {}

  // Adds the format to the result; the first one decides which Sites there are.
  void add(Format format, const Request& request, SensitivityResult& result) {
    const Plan plan = plans_.plan(plans_.request(*request.recipe, format, request.plan));
    const std::string step = fmt::format("trials in {}", info(format).name);
    const Sensitivity found = measure_sensitivity(*plans_.bundle().encoder, plan, inputs_,
                                                  [&](size_t done, size_t total) {
                                                    if (progress_) progress_(step, done, total);
                                                  });
    if (result.sites.empty()) add_sites(plan, found, result);
    result.none = told(found.none);
    result.whole.push_back(told(found.all));
    result.trials += 2 * found.sites.size() + 1;
    for (size_t i = 0; i < found.sites.size(); ++i)
      result.sites[i].formats.push_back(
          {.sqnr_db = plan.sites[found.sites[i].site].sqnr_db.value_or(0),
           .alone = told(found.sites[i].alone),
           .left_out = told(found.sites[i].left_out)});
    result.formats.emplace_back(info(format).name);
    add_ranks(result.sites, result.formats.size() - 1);
  }

 private:
  void add_sites(const Plan& plan, const Sensitivity& found, SensitivityResult& result) {
    const Bundle& bundle = plans_.bundle();
    const GraphIndex index(bundle.model.graph);
    std::vector<FormatFit> fits(found.sites.size());
    parallel_for(fits.size(), [&](size_t i) {
      const size_t s = found.sites[i].site;
      fits[i] = fit_of(bundle.sites[s], plan.sites[s], index, plans_.statistics());
    });
    for (size_t i = 0; i < fits.size(); ++i)
      result.sites.push_back(described(bundle.sites[found.sites[i].site], fits[i]));
  }

  PlanMaker& plans_;
  const SensitivityInputs& inputs_;
  const ProgressCallback& progress_;
};

}  // namespace

SensitivityResult sensitivity(const SensitivityOptions& options, const ProgressCallback& progress) {
  const Stopwatch watch;
  const Request request = request_of(options);
  if (options.execution.reference || options.execution.compute == Compute::bf16)
    fail(ErrorCode::usage,
         "sensitivity rounds values on the way through a model in FP32: --reference and --compute "
         "bf16 do not go with it");
  SensitivityResult result;
  const Bundle bundle = open_model(options.location.model);
  require_float_model(bundle);
  if (!bundle.encoder)
    fail(ErrorCode::unsupported,
         "{}: sensitivity needs a model recognised as an encoder, which this is not ({})",
         printable(bundle.file.path.string()), printable(bundle.not_encoder_reason));
  const fs::path statistics_file = statistics_path(bundle.file.path, options.statistics);
  const Statistics statistics = statistics_for(bundle, statistics_file);
  const CalibrationText text = calibration_text({.tokenizer = options.location.tokenizer,
                                                 .config = options.location.config,
                                                 .task = options.task,
                                                 .examples = options.examples,
                                                 .random_seed = {}},
                                                bundle, result.notes);
  SensitivityInputs inputs{.batches = batches_of(text.encodings, options.execution.batch),
                           .every_token = bundle.encoder->head_kind == HeadKind::every_token,
                           .score = nullptr};
  std::optional<TaskScorer> scorer;
  if (!options.task.name.empty()) {
    scorer.emplace(bundle,
                   TaskRequest{.tokenizer = options.location.tokenizer,
                               .config = options.location.config,
                               .task = options.task},
                   TaskScorer::Settings{.batch = options.execution.batch}, result.notes);
    inputs.score = [&](Engine& engine) { return scorer->scorer().score(engine); };
    result.task = scorer->task().name;
  }
  PlanMaker plans(bundle, statistics);
  Study study(plans, inputs, progress);
  for (const Format format : request.formats) study.add(format, request, result);

  result.roles = grouped(result, [](const SensitivitySite& site) { return site.role; });
  result.layers = grouped(result, [](const SensitivitySite& site) {
    return site.layer < 0 ? std::string("outside layers") : fmt::format("layer.{}", site.layer);
  });
  result.model = bundle.file;
  result.statistics = facts_of(statistics_file);
  result.recipe = request.recipe->name;
  result.data = text.facts;
  result.examples = text.encodings.size();
  result.tokens = count_tokens(text.encodings);
  result.execution =
      with_costs(execution_on(*make_cpu_engine(*bundle.encoder, ComputeType::fp32)), watch);
  return result;
}

}  // namespace fp8q
