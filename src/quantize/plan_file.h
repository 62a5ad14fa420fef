// Plan files: the decision for every Site as JSON, "fp8q/plan/1", to be read, compared and changed
// by people: a line per Site in the model's order.
//
//   {"schema":"fp8q/plan/1","recipe":"e4m3","quantize_head":false,"quantize_embeddings":false,
//   "model":{"name":"model.onnx","sha256":"..."},"sites":[
//   {"site":"layer.0/ffn.output/input","format":"e4m3","granularity":"tensor","observer":"absmax",
//   "reason":"recipe e4m3"}, ...
//
// (each object of `sites` on one line). Sites may be paths or patterns (choice.h); later lines win.
// Sites that no line names get what the recipe gives them. Only `schema` and `sites` are needed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "quantize/choice.h"
#include "quantize/plan.h"

namespace fp8q {

struct PlanFile {
  std::string recipe;  // empty: not said
  bool quantize_head = false;
  bool quantize_embeddings = false;
  std::optional<SmoothQuant> smooth_quant;
  std::string model_name;    // of the model it was written for; empty: not said
  std::string model_sha256;  // empty: not said
  std::vector<SiteChoice> choices;
};

// What the plan gives every Site, so that reading it again gives the same plan.
std::string plan_to_json(const Plan& plan);
// `source` names the bytes in messages. Error (bad_data) naming the member that is wrong, Error
// (usage) for a format, granularity or observer that does not exist.
PlanFile plan_from_json(std::string_view bytes, const std::string& source);

void save_plan(const Plan& plan, const std::filesystem::path& path);  // atomic
PlanFile load_plan(const std::filesystem::path& path);
// Whether the file begins as fp8q writes plans, so that it may be replaced without asking. False
// also where it cannot be read.
bool is_plan_file(const std::filesystem::path& path);

}  // namespace fp8q
