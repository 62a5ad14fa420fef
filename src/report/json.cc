#include "report/json.h"

#include <nlohmann/json.hpp>

namespace fp8q {
namespace {

using Json = nlohmann::ordered_json;

Json header(const char* command, const FileFacts& model) {
  return {
      {"schema", std::string("fp8q/") + command + "/1"},
      {"version", version()},
      {"command", command},
      {"model", {{"path", model.path.string()}, {"sha256", model.sha256}, {"bytes", model.bytes}}}};
}

Json json_of(const FileFacts& file) {
  return {{"path", file.path.string()}, {"sha256", file.sha256}, {"bytes", file.bytes}};
}

Json json_of(const DataFacts& data) {
  Json json = {{"path", data.path.empty() ? Json(nullptr) : Json(data.path.string())},
               {"sha256", data.sha256.empty() ? Json(nullptr) : Json(data.sha256)},
               {"builtin", data.builtin}};
  if (data.random) json["random"] = true;
  return json;
}

void add(Json& json, const ExecutionFacts& execution) {
  json["device"] = execution.device;
  json["engine"] = execution.description;
  json["threads"] = execution.threads;
  json["elapsed_s"] = execution.elapsed_s;
  json["peak_rss_bytes"] = execution.peak_rss_bytes;
}

Json json_of(const std::vector<KernelFacts>& kernels) {
  Json list = Json::array();
  for (const auto& k : kernels)
    list.push_back({{"path", k.path}, {"requested", k.requested}, {"effective", k.effective}});
  return list;
}

void add(Json& json, const Scores& scores) {
  json["format"] = scores.format;
  json["metrics"] = scores.metrics;
  json["score"] = scores.score;
  json["examples_per_s"] = scores.examples_per_s;
  json["tokens_per_s"] = scores.tokens_per_s;
  json["kernels"] = json_of(scores.kernels);
}

Json pairs(const std::vector<std::pair<std::string, std::string>>& facts) {
  Json object = Json::object();
  for (const auto& [key, value] : facts) object[key] = value;
  return object;
}

}  // namespace

Json to_json(const InspectResult& r) {
  Json json = header("inspect", r.file);
  json["producer"] = r.producer;
  json["ir_version"] = r.ir_version;
  json["opset"] = r.opset;
  json["parameters"] = r.parameters;
  json["bytes_by_type"] = r.bytes_by_type;
  json["inputs"] = r.inputs;
  json["outputs"] = r.outputs;
  json["operators"] = r.operators;
  json["encoder"] = r.encoder;
  if (r.encoder) json["architecture"] = pairs(r.architecture);
  else json["not_encoder_reason"] = r.not_encoder_reason;
  json["quantization"] = r.quantization;
  if (!r.manifest.empty()) json["manifest"] = pairs(r.manifest);
  json["sites"] = Json::array();
  for (const auto& s : r.sites)
    json["sites"].push_back(
        {{"name", s.name}, {"path", s.path}, {"kind", s.kind}, {"format", s.format}});
  json["labels"] = r.labels;
  json["tokenizer"] = r.tokenizer;
  json["engine"] = r.engine;
  json["notes"] = r.notes;
  return json;
}

Json to_json(const CalibrateResult& r) {
  Json json = header("calibrate", r.model);
  add(json, r.execution);
  json["statistics"] = json_of(r.statistics);
  json["data"] = json_of(r.data);
  json["task"] = r.task.empty() ? Json(nullptr) : Json(r.task);
  json["examples"] = r.examples;
  json["tokens"] = r.tokens;
  json["observers"] = r.observers;
  json["sites"] = Json::array();
  for (const auto& s : r.sites)
    json["sites"].push_back({{"name", s.name},
                             {"path", s.path},
                             {"count", s.count},
                             {"absmax", s.absmax},
                             {"min", s.min},
                             {"max", s.max},
                             {"mean", s.mean},
                             {"std", s.std},
                             {"zeros", s.zeros},
                             {"nonfinite", s.nonfinite}});
  json["notes"] = r.notes;
  return json;
}

Json to_json(const ConvertResult& r) {
  Json json = header("convert", r.source);
  json["elapsed_s"] = r.elapsed_s;
  json["peak_rss_bytes"] = r.peak_rss_bytes;
  json["output"] = json_of(r.output);
  json["source_bytes"] = r.source.bytes;
  json["statistics"] = json_of(r.statistics);
  json["recipe"] = r.recipe;
  json["matrix_bytes"] = {{"before", r.matrix_bytes_before}, {"after", r.matrix_bytes_after}};
  json["embedding_bytes"] = {{"before", r.embedding_bytes_before},
                             {"after", r.embedding_bytes_after}};
  json["sites"] = Json::array();
  for (const auto& s : r.sites) {
    Json site = {{"name", s.name}, {"path", s.path}, {"kind", s.kind}, {"format", s.format}};
    if (s.format != "float") {
      site["granularity"] = s.granularity;
      if (s.scale_min == s.scale_max) site["scale"] = s.scale_min;
      else site["scale_range"] = {s.scale_min, s.scale_max};
      site["sqnr_db"] = s.sqnr_db;
    }
    site["reason"] = s.reason;
    json["sites"].push_back(std::move(site));
  }
  json["notes"] = r.notes;
  return json;
}

Json to_json(const EvaluateResult& r) {
  Json json = header("eval", r.scores.model);
  add(json, r.execution);
  json["engine"] = r.scores.engine;
  json["task"] = r.task;
  json["split"] = r.split;
  json["data"] = json_of(r.data);
  json["examples"] = r.examples;
  json["tokens"] = r.tokens;
  add(json, r.scores);
  if (!r.predictions.empty()) json["predictions"] = r.predictions.string();
  if (r.baseline) {
    json["baseline"] = {{"model", json_of(r.baseline->model)}, {"engine", r.baseline->engine}};
    add(json["baseline"], *r.baseline);
  }
  if (r.difference)
    json["difference"] = {{"score", r.difference->score},
                          {"ci95", {r.difference->ci95_low, r.difference->ci95_high}},
                          {"p_value", r.difference->p_value},
                          {"test", r.difference->test},
                          {"flips", r.difference->flips}};
  json["notes"] = r.notes;
  return json;
}

}  // namespace fp8q
