#include "quantize/plan_file.h"

#include "base/error.h"
#include "base/file.h"
#include "json/document.h"
#include "json/tree.h"

namespace fp8q {
namespace {

using json::Tree;
using json::Value;

constexpr const char* kSchema = "fp8q/plan/1";
constexpr std::string_view kBeginning = "{\"schema\":\"fp8q/plan/";
constexpr uint64_t kMaxFileBytes = uint64_t{64} << 20;
constexpr json::Kind kKind{
    .what = "a plan", .remedy = "fp8q convert --write-plan FILE writes an example of the form"};
constexpr json::Style kLine{.not_utf8 = "a name of the model is not UTF-8: rename it"};

Tree site_to_json(const SiteRequest& request, const SitePlan& site) {
  Tree out = {{"site", site.path}, {"format", name_of(request.format)}};
  if (request.format) {
    out["granularity"] = site.granularity.text();
    out["observer"] = site.observer.text();
  }
  out["reason"] = request.reason;
  return out;
}

SiteChoice choice_from_json(const Value& field, const std::string& where,
                            const std::string& source) {
  field.with_only({"site", "format", "granularity", "observer", "reason"});
  SiteChoice choice;
  choice.origin = where;
  choice.pattern = field["site"].string();
  if (field.has("format")) choice.wanted = parse_format(field["format"].string(), where);
  if (field.has("granularity"))
    choice.granularity = parse_granularity(field["granularity"].string(), where);
  if (field.has("observer"))
    choice.observer = ObserverChoice::parse(field["observer"].string(), where);
  choice.reason = field.has("reason") ? field["reason"].string() : source;
  return choice;
}

}  // namespace

std::string plan_to_json(const Plan& plan) {
  const PlanRequest& request = plan.request;
  Tree head = {{"schema", kSchema},
               {"recipe", request.recipe},
               {"quantize_head", request.options.quantize_head},
               {"quantize_embeddings", request.options.quantize_embeddings},
               {"model", {{"name", plan.source.model_name}, {"sha256", plan.source.model_sha256}}}};
  if (request.options.smooth_quant) head["smooth_quant"] = request.options.smooth_quant->text();
  std::string text = head.text(kLine);
  text.back() = ',';
  text += "\"sites\":[";
  for (size_t i = 0; i < plan.sites.size(); ++i)
    text += (i == 0 ? "\n" : ",\n") + site_to_json(request.sites[i], plan.sites[i]).text(kLine);
  return text + "\n]}\n";
}

PlanFile plan_from_json(std::string_view bytes, const std::string& source) {
  const std::string shown = printable(source);
  const json::Document file = json::Document::parse(bytes, shown, kKind);
  const Value root = file.root();
  root["schema"].must_be(kSchema);
  root.with_only({"schema", "recipe", "quantize_head", "quantize_embeddings", "smooth_quant",
                  "model", "sites"});
  PlanFile plan;
  if (root.has("recipe")) plan.recipe = root["recipe"].string();
  if (root.has("quantize_head")) plan.quantize_head = root["quantize_head"].boolean();
  if (root.has("quantize_embeddings"))
    plan.quantize_embeddings = root["quantize_embeddings"].boolean();
  if (root.has("smooth_quant"))
    plan.smooth_quant = SmoothQuant::parse(root["smooth_quant"].string(), shown + ": smooth_quant");
  if (root.has("model")) {
    plan.model_name = root["model"]["name"].string();
    plan.model_sha256 = root["model"]["sha256"].string();
  }
  const std::vector<Value> sites = root["sites"].items();
  for (size_t i = 0; i < sites.size(); ++i)
    plan.choices.push_back(
        choice_from_json(sites[i], fmt::format("{}: sites[{}]", shown, i), shown));
  return plan;
}

void save_plan(const Plan& plan, const std::filesystem::path& path) {
  write_file_atomically(path, plan_to_json(plan));
}

PlanFile load_plan(const std::filesystem::path& path) {
  return plan_from_json(read_file(path, kMaxFileBytes), path.string());
}

bool is_plan_file(const std::filesystem::path& path) { return begins_with(path, kBeginning); }

}  // namespace fp8q
