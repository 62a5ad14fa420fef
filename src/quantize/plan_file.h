// A plan file holds the decision for every Site as JSON, "fp8q/plan/1". People read, compare and
// change it, so it has a line per Site, in the model's order.
//
//   {"schema":"fp8q/plan/1","recipe":"e4m3","quantize_head":false,"quantize_embeddings":false,
//   "model":{"name":"model.onnx","sha256":"..."},"sites":[
//   {"site":"layer.0/ffn.output/input","format":"e4m3","granularity":"tensor","observer":"absmax",
//   "reason":"recipe e4m3"}, ...
//
// In the file each object of `sites` is on one line. Sites may be paths or patterns (choice.h);
// later lines win. Sites that no line names get what the recipe gives them. Only `schema` and
// `sites` are required.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "quantize/choice.h"
#include "quantize/plan.h"

namespace fp8q {

struct PlanFile {
  std::string recipe;  // empty if not given
  bool quantize_head = false;
  bool quantize_embeddings = false;
  std::optional<SmoothQuant> smooth_quant;
  std::string model_name;    // name of the source model; empty if not given
  std::string model_sha256;  // empty if not given
  std::vector<SiteChoice> choices;
};

// Writes what the plan gives every Site. Reading the text again gives the same plan.
std::string plan_to_json(const Plan& plan);
// `source` names the bytes in messages. Throws an Error (bad_data) that names the wrong member, or
// an Error (usage) for a format, granularity or observer that does not exist.
PlanFile plan_from_json(std::string_view bytes, const std::string& source);

void save_plan(const Plan& plan, const std::filesystem::path& path);  // atomic
PlanFile load_plan(const std::filesystem::path& path);
// Returns whether the file begins like a plan file of fp8q, so that it may be replaced without
// asking. Returns false if the file cannot be read.
bool is_plan_file(const std::filesystem::path& path);

}  // namespace fp8q
