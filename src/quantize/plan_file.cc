#include "quantize/plan_file.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "calibrate/json_fields.h"

namespace fp8q {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "fp8q/plan/1";
constexpr std::string_view kBeginning = "{\"schema\":\"fp8q/plan/";
constexpr uint64_t kMaxFileBytes = uint64_t{64} << 20;
constexpr int kMaxDepth = 4;
constexpr Blame kBlame{ErrorCode::bad_data,
                       "fp8q convert --write-plan FILE writes an example of the form"};

Json site_to_json(const SiteRequest& request, const SitePlan& site) {
  Json out = {{"site", site.path}, {"format", name_of(request.format)}};
  if (request.format) {
    out["granularity"] = site.granularity.text();
    out["observer"] = site.observer.text();
  }
  out["reason"] = request.reason;
  return out;
}

// A misspelt member would otherwise be ignored.
template <size_t N>
void check_members(const Field& field, const std::array<std::string_view, N>& known) {
  if (!field.json().is_object()) field.reject("is not an object");
  for (const auto& [key, value] : field.json().items())
    if (std::ranges::find(known, key) == known.end())
      field.reject(
          fmt::format("has a member \"{}\"; there are {}", printable(key), fmt::join(known, ", ")));
}

bool has(const Field& field, const char* key) { return field.json().contains(key); }

SiteChoice choice_from_json(const Field& field, const std::string& where,
                            const std::string& source) {
  static constexpr std::array<std::string_view, 5> kMembers = {"site", "format", "granularity",
                                                               "observer", "reason"};
  check_members(field, kMembers);
  SiteChoice choice;
  choice.origin = where;
  choice.pattern = field["site"].string();
  if (has(field, "format")) choice.wanted = parse_format(field["format"].string(), where);
  if (has(field, "granularity"))
    choice.granularity = parse_granularity(field["granularity"].string(), where);
  if (has(field, "observer"))
    choice.observer = ObserverChoice::parse(field["observer"].string(), where);
  choice.reason = has(field, "reason") ? field["reason"].string() : source;
  return choice;
}

nlohmann::json parsed(std::string_view bytes, const std::string& source) {
  const auto limit_depth = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > kMaxDepth) fail(kBlame.code, "{}: is nested too deeply to be a plan", source);
    return true;
  };
  try {
    return nlohmann::json::parse(bytes, limit_depth);
  } catch (const nlohmann::json::exception& error) {
    fail(kBlame.code, "{}: is not a plan ({}); {}", source, printable(error.what()), kBlame.remedy);
  }
}

}  // namespace

std::string plan_to_json(const Plan& plan) {
  const PlanRequest& request = plan.request;
  Json head = {{"schema", kSchema},
               {"recipe", request.recipe},
               {"quantize_head", request.options.quantize_head},
               {"quantize_embeddings", request.options.quantize_embeddings},
               {"model", {{"name", plan.source.model_name}, {"sha256", plan.source.model_sha256}}}};
  if (request.options.smooth_quant) head["smooth_quant"] = request.options.smooth_quant->text();
  std::string text;
  try {
    text = head.dump();
    text.back() = ',';
    text += "\"sites\":[";
    for (size_t i = 0; i < plan.sites.size(); ++i)
      text += (i == 0 ? "\n" : ",\n") + site_to_json(request.sites[i], plan.sites[i]).dump();
  } catch (const Json::type_error&) {
    fail(ErrorCode::unsupported, "a name of the model is not UTF-8: rename it");
  }
  return text + "\n]}\n";
}

PlanFile plan_from_json(std::string_view bytes, const std::string& source) {
  static constexpr std::array<std::string_view, 7> kMembers = {
      "schema", "recipe", "quantize_head", "quantize_embeddings", "smooth_quant", "model", "sites"};
  const std::string shown = printable(source);
  const nlohmann::json file = parsed(bytes, shown);
  const Field root(file, shown, kBlame);
  const std::string& schema = root["schema"].string();
  if (schema != kSchema)
    root["schema"].reject(
        fmt::format("is \"{}\", \"{}\" was expected", printable(schema), kSchema));
  check_members(root, kMembers);
  PlanFile plan;
  if (has(root, "recipe")) plan.recipe = root["recipe"].string();
  if (has(root, "quantize_head")) plan.quantize_head = root["quantize_head"].boolean();
  if (has(root, "quantize_embeddings"))
    plan.quantize_embeddings = root["quantize_embeddings"].boolean();
  if (has(root, "smooth_quant"))
    plan.smooth_quant = SmoothQuant::parse(root["smooth_quant"].string(), shown + ".smooth_quant");
  if (has(root, "model")) {
    plan.model_name = root["model"]["name"].string();
    plan.model_sha256 = root["model"]["sha256"].string();
  }
  const Field sites = root["sites"];
  for (size_t i = 0; i < sites.size(); ++i)
    plan.choices.push_back(
        choice_from_json(sites.at(i), fmt::format("{}.sites[{}]", shown, i), shown));
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
