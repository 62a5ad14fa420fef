#include "report/json.h"

#include "report/json_parts.h"

namespace fp8q {

Json json_of(const FileFacts& file) {
  return {{"path", file.path.string()}, {"sha256", file.sha256}, {"bytes", file.bytes}};
}

Json json_of(const std::optional<FileFacts>& file) { return file ? json_of(*file) : Json(nullptr); }

Json header(const char* command, const std::optional<FileFacts>& model) {
  return {{"schema", std::string("fp8q/") + command + "/1"},
          {"version", version()},
          {"command", command},
          {"model", json_of(model)}};
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

namespace {

Json json_of(const std::vector<KernelFacts>& kernels) {
  Json list = Json::array();
  for (const auto& k : kernels)
    list.push_back({{"path", k.path}, {"requested", k.requested}, {"effective", k.effective}});
  return list;
}

Json json_of(const std::vector<RoundingFacts>& rounding) {
  Json list = Json::array();
  for (const auto& r : rounding)
    list.push_back({{"path", r.path},
                    {"format", r.format},
                    {"values", r.values},
                    {"saturated", r.saturated},
                    {"underflowed", r.underflowed}});
  return list;
}

void add(Json& json, const Scores& scores) {
  json["format"] = scores.format;
  json["metrics"] = scores.metrics;
  json["metrics_ci95"] = scores.metrics_ci95;
  json["score"] = scores.score;
  json["ci95"] = {scores.ci95_low, scores.ci95_high};
  json["examples_per_s"] = scores.examples_per_s;
  json["tokens_per_s"] = scores.tokens_per_s;
  json["kernels"] = json_of(scores.kernels);
  json["rounding"] = json_of(scores.rounding);
}

Json indices_of(const std::vector<Flip>& flips) {
  Json list = Json::array();
  for (const auto& flip : flips) list.push_back(flip.index);
  return list;
}

Json json_of(const BenchmarkStage& s) {
  return {{"stage", s.stage},
          {"unit", s.unit.empty() ? Json(nullptr) : Json(s.unit)},
          {"ms", 1e3 * s.seconds},
          {"share", s.share},
          {"operations", s.operations},
          {"tflops", s.operations / s.seconds / 1e12},
          {"roof_fraction", s.roof_fraction > 0 ? Json(s.roof_fraction) : Json(nullptr)}};
}

Json json_of(const BenchmarkRow& row, const BenchmarkResult& r) {
  const BenchmarkVariant& v = r.variants[row.variant];
  Json json = {{"model", v.model ? Json(v.model->path.string()) : Json(nullptr)},
               {"format", v.format},
               {"batch", row.batch},
               {"sequence", row.length},
               {"packed", r.ragged},  // sequences of several lengths
               {"tokens", row.tokens},
               {"runs", row.runs},
               {"median_ms", row.median_ms},
               {"p10_ms", row.p10_ms},
               {"p90_ms", row.p90_ms},
               {"p99_ms", row.p99_ms},
               {"min_ms", row.min_ms},
               {"sequences_per_s", row.sequences_per_s},
               {"tokens_per_s", row.tokens_per_s},
               {"operations", row.operations},
               {"tflops", row.operations / row.median_ms / 1e9},
               {"unit", row.unit.empty() ? Json(nullptr) : Json(row.unit)},
               {"roof_fraction", row.roof_fraction > 0 ? Json(row.roof_fraction) : Json(nullptr)},
               {"ratio", row.ratio}};
  if (!row.stages.empty()) {
    json["stages"] = Json::array();
    for (const auto& s : row.stages) json["stages"].push_back(json_of(s));
  }
  return json;
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
  if (!r.part.empty()) json["part"] = r.part;
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

Json to_json(const MergeResult& r) {
  Json json = header("merge", std::nullopt);
  json["statistics"] = json_of(r.output);
  json["examples"] = r.examples;
  json["tokens"] = r.tokens;
  json["parts"] = Json::array();
  for (const auto& part : r.parts)
    json["parts"].push_back({{"path", part.path.string()}, {"part", part.part}});
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
  if (!r.plan.empty()) json["plan"] = r.plan.string();
  json["matrix_bytes"] = {{"before", r.matrix_bytes_before}, {"after", r.matrix_bytes_after}};
  json["embedding_bytes"] = {{"before", r.embedding_bytes_before},
                             {"after", r.embedding_bytes_after}};
  json["sites"] = Json::array();
  for (const auto& s : r.sites) {
    Json site = {{"name", s.name}, {"path", s.path}, {"kind", s.kind}, {"format", s.format}};
    if (s.format != "float") {
      site["granularity"] = s.granularity;
      site["observer"] = s.observer;
      if (s.scale_min != s.scale_max) site["scale_range"] = {s.scale_min, s.scale_max};
      else if (s.scale_min > 0) site["scale"] = s.scale_min;
      if (s.sqnr_db) site["sqnr_db"] = *s.sqnr_db;
      if (s.alpha) site["alpha"] = *s.alpha;
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
  json["sequences"] = r.sequences;
  json["tokens"] = r.tokens;
  add(json, r.scores);
  if (!r.predictions.empty()) json["predictions"] = r.predictions.string();
  if (r.baseline) {
    json["baseline"] = {{"model", json_of(r.baseline->model)}, {"engine", r.baseline->engine}};
    add(json["baseline"], *r.baseline);
  }
  if (r.difference) {
    const auto& flips = r.difference->flips;
    json["difference"] = {{"score", r.difference->score},
                          {"ci95", {r.difference->ci95_low, r.difference->ci95_high}},
                          {"p_value", r.difference->p_value},
                          {"test", r.difference->test},
                          {"flips", flips ? Json(flips->size()) : Json(nullptr)},
                          {"flipped", flips ? indices_of(*flips) : Json(nullptr)}};
  }
  json["notes"] = r.notes;
  return json;
}

Json to_json(const EvaluateShardResult& r) {
  Json json = header("eval-shard", r.models.front());
  add(json, r.execution);
  json["task"] = r.task;
  json["split"] = r.split;
  json["data"] = json_of(r.data);
  json["part"] = r.part;
  json["examples"] = r.examples;
  json["tokens"] = r.tokens;
  for (const auto& [key, files] : {std::pair("models", &r.models), {"baselines", &r.baselines}}) {
    json[key] = Json::array();
    for (const FileFacts& file : *files) json[key].push_back(json_of(file));
  }
  json["output"] = json_of(r.output);
  json["notes"] = r.notes;
  return json;
}

Json to_json(const BenchmarkResult& r) {
  Json json = header("bench", r.variants.front().model);
  add(json, r.execution);
  json["shape"] = r.shape.empty() ? Json(nullptr) : Json(r.shape);
  json["seed"] = r.seed;
  json["roofs"] = Json::array();
  for (const auto& roof : r.roofs)
    json["roofs"].push_back({{"unit", roof.unit}, {"tflops", roof.operations_per_s / 1e12}});
  json["variants"] = Json::array();
  for (const auto& v : r.variants)
    json["variants"].push_back({{"format", v.format},
                                {"model", json_of(v.model)},
                                {"engine", v.engine},
                                {"kernel", v.kernel}});
  json["rows"] = Json::array();
  for (const auto& row : r.rows) json["rows"].push_back(json_of(row, r));
  json["notes"] = r.notes;
  return json;
}

Json to_json(const ReportResult& r) {
  Json json = header("report", std::nullopt);
  json["output"] = json_of(r.report);
  json["files"] = Json::array();
  for (const auto& file : r.files)
    json["files"].push_back({{"path", file.path.string()}, {"schema", file.schema}});
  json["notes"] = r.notes;
  return json;
}

}  // namespace fp8q
