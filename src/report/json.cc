#include "report/json.h"

#include "report/json_common.h"

namespace fp8q {

Tree json_of(const FileFacts& file) {
  return {{"path", file.path.string()}, {"sha256", file.sha256}, {"bytes", file.bytes}};
}

Tree json_of(const std::optional<FileFacts>& file) { return file ? json_of(*file) : nullptr; }

Tree unless_empty(const std::string& text) { return text.empty() ? Tree() : Tree(text); }

std::string as_text(const Tree& json) {
  return json.text({.indent = kResultIndent, .escape_unprintable = true});
}

Tree header(const char* command, const std::optional<FileFacts>& model) {
  return {{"schema", std::string("fp8q/") + command + "/1"},
          {"version", version()},
          {"command", command},
          {"model", json_of(model)}};
}

Tree json_of(const DataFacts& data) {
  Tree json = {{"path", unless_empty(data.path.string())},
               {"sha256", unless_empty(data.sha256)},
               {"builtin", data.builtin}};
  if (data.random) json["random"] = true;
  return json;
}

void add(Tree& json, const ExecutionFacts& execution) {
  json["device"] = execution.device;
  json["engine"] = execution.description;
  json["threads"] = execution.threads;
  json["elapsed_s"] = execution.elapsed_s;
  json["peak_rss_bytes"] = execution.peak_rss_bytes;
  json["planned_memory_bytes"] = execution.planned_bytes;
}

namespace {

Tree json_of(const KernelFacts& k) {
  return {{"path", k.path}, {"requested", k.requested}, {"effective", k.effective}};
}

Tree json_of(const RoundingFacts& r) {
  return {{"path", r.path},
          {"format", r.format},
          {"values", r.values},
          {"saturated", r.saturated},
          {"underflowed", r.underflowed}};
}

Tree json_of(const BenchmarkStage& s) {
  return {{"stage", s.stage},
          {"unit", unless_empty(s.unit)},
          {"ms", 1e3 * s.seconds},
          {"share", s.share},
          {"operations", s.operations},
          {"tflops", s.operations / s.seconds / 1e12},
          {"roof_fraction", s.roof_fraction > 0 ? Tree(s.roof_fraction) : nullptr}};
}

Tree json_of(const InspectedSite& s) {
  return {{"name", s.name}, {"path", s.path}, {"kind", s.kind}, {"format", s.format}};
}

Tree json_of(const CalibratedSite& s) {
  return {{"name", s.name},          {"path", s.path}, {"count", s.count},
          {"absmax", s.absmax},      {"min", s.min},   {"max", s.max},
          {"mean", s.mean},          {"std", s.std},   {"zeros", s.zeros},
          {"nonfinite", s.nonfinite}};
}

Tree json_of(const ConvertedSite& s) {
  Tree site = {{"name", s.name}, {"path", s.path}, {"kind", s.kind}, {"format", s.format}};
  if (s.format != "float") {
    site["granularity"] = s.granularity;
    site["observer"] = s.observer;
    if (s.scale_min != s.scale_max) site["scale_range"] = Tree::list({s.scale_min, s.scale_max});
    else if (s.scale_min > 0) site["scale"] = s.scale_min;
    if (s.sqnr_db) site["sqnr_db"] = *s.sqnr_db;
    if (s.alpha) site["alpha"] = *s.alpha;
  }
  site["reason"] = s.reason;
  return site;
}

// Makes a list of facts that json_of() knows.
template <typename T>
Tree list_of(const std::vector<T>& facts) {
  return Tree::list(facts, [](const T& x) { return json_of(x); });
}

Tree json_of(const BenchmarkRow& row, const BenchmarkResult& r) {
  const BenchmarkVariant& v = r.variants[row.variant];
  Tree json = {{"model", v.model ? Tree(v.model->path.string()) : nullptr},
               {"format", v.format},
               {"batch", row.batch},
               {"sequence", row.length},
               {"packed", r.ragged},  // whether sequences have several lengths
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
               {"unit", unless_empty(row.unit)},
               {"roof_fraction", row.roof_fraction > 0 ? Tree(row.roof_fraction) : nullptr},
               {"ratio", row.ratio}};
  if (!row.stages.empty()) json["stages"] = list_of(row.stages);
  return json;
}

void add(Tree& json, const Scores& scores) {
  json["format"] = scores.format;
  json["metrics"] = scores.metrics;
  json["metrics_ci95"] = Tree::object();
  for (const auto& [name, ends] : scores.metrics_ci95)
    json["metrics_ci95"].add(name, Tree::list({ends.first, ends.second}));
  json["score"] = scores.score;
  json["ci95"] = Tree::list({scores.ci95_low, scores.ci95_high});
  json["examples_per_s"] = scores.examples_per_s;
  json["tokens_per_s"] = scores.tokens_per_s;
  json["kernels"] = list_of(scores.kernels);
  json["rounding"] = list_of(scores.rounding);
}

Tree indices_of(const std::vector<Flip>& flips) {
  return Tree::list(flips, [](const Flip& flip) { return flip.index; });
}

Tree pairs(const std::vector<std::pair<std::string, std::string>>& facts) {
  Tree object = Tree::object();
  for (const auto& [key, value] : facts) object[key] = value;
  return object;
}

}  // namespace

std::string to_json(const InspectResult& r) {
  Tree json = header("inspect", r.file);
  json["producer"] = r.producer;
  json["ir_version"] = r.ir_version;
  json["opset"] = r.opset;
  json["parameters"] = r.parameters;
  json["bytes_by_type"] = r.bytes_by_type;
  json["inputs"] = r.inputs;
  json["outputs"] = r.outputs;
  json["output_meanings"] = r.output_meanings;
  json["operators"] = r.operators;
  json["encoder"] = r.encoder;
  if (r.encoder) json["architecture"] = pairs(r.architecture);
  else json["not_encoder_reason"] = r.not_encoder_reason;
  json["quantization"] = r.quantization;
  if (!r.manifest.empty()) json["manifest"] = pairs(r.manifest);
  json["sites"] = list_of(r.sites);
  json["labels"] = r.labels;
  json["tokenizer"] = r.tokenizer;
  json["engine"] = r.engine;
  json["notes"] = r.notes;
  return as_text(json);
}

std::string to_json(const CalibrateResult& r) {
  Tree json = header("calibrate", r.model);
  add(json, r.execution);
  json["statistics"] = json_of(r.statistics);
  json["data"] = json_of(r.data);
  json["task"] = unless_empty(r.task);
  if (!r.part.empty()) json["part"] = r.part;
  json["examples"] = r.examples;
  json["tokens"] = r.tokens;
  json["observers"] = r.observers;
  json["sites"] = list_of(r.sites);
  json["notes"] = r.notes;
  return as_text(json);
}

std::string to_json(const MergeResult& r) {
  Tree json = header("merge", std::nullopt);
  json["statistics"] = json_of(r.output);
  json["examples"] = r.examples;
  json["tokens"] = r.tokens;
  json["parts"] = Tree::list(r.parts, [](const auto& part) {
    return Tree{{"path", part.path.string()}, {"part", part.part}};
  });
  return as_text(json);
}

std::string to_json(const ConvertResult& r) {
  Tree json = header("convert", r.source);
  json["elapsed_s"] = r.elapsed_s;
  json["peak_rss_bytes"] = r.peak_rss_bytes;
  json["planned_memory_bytes"] = r.planned_bytes;
  json["output"] = json_of(r.output);
  json["source_bytes"] = r.source.bytes;
  json["statistics"] = json_of(r.statistics);
  json["recipe"] = r.recipe;
  if (!r.plan.empty()) json["plan"] = r.plan.string();
  json["matrix_bytes"] = {{"before", r.matrix_bytes_before}, {"after", r.matrix_bytes_after}};
  json["embedding_bytes"] = {{"before", r.embedding_bytes_before},
                             {"after", r.embedding_bytes_after}};
  json["sites"] = list_of(r.sites);
  json["notes"] = r.notes;
  return as_text(json);
}

std::string to_json(const EvaluateResult& r) {
  Tree json = header("eval", r.scores.model);
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
                          {"ci95", Tree::list({r.difference->ci95_low, r.difference->ci95_high})},
                          {"p_value", r.difference->p_value},
                          {"test", r.difference->test},
                          {"flips", flips ? Tree(flips->size()) : nullptr},
                          {"flipped", flips ? indices_of(*flips) : nullptr}};
  }
  json["notes"] = r.notes;
  return as_text(json);
}

std::string to_json(const EvaluateShardResult& r) {
  Tree json = header("eval-shard", r.models.front());
  add(json, r.execution);
  json["task"] = r.task;
  json["split"] = r.split;
  json["data"] = json_of(r.data);
  json["part"] = r.part;
  json["examples"] = r.examples;
  json["tokens"] = r.tokens;
  json["models"] = list_of(r.models);
  json["baselines"] = list_of(r.baselines);
  json["output"] = json_of(r.output);
  json["notes"] = r.notes;
  return as_text(json);
}

std::string to_json(const BenchmarkResult& r) {
  Tree json = header("bench", r.variants.front().model);
  add(json, r.execution);
  json["shape"] = unless_empty(r.shape);
  json["seed"] = r.seed;
  json["roofs"] = Tree::list(r.roofs, [](const auto& roof) {
    return Tree{{"unit", roof.unit}, {"tflops", roof.operations_per_s / 1e12}};
  });
  json["variants"] = Tree::list(r.variants, [](const BenchmarkVariant& v) {
    return Tree{{"format", v.format},
                {"model", json_of(v.model)},
                {"engine", v.engine},
                {"kernel", v.kernel}};
  });
  json["rows"] = Tree::list(r.rows, [&](const BenchmarkRow& row) { return json_of(row, r); });
  json["notes"] = r.notes;
  return as_text(json);
}

std::string to_json(const ReportResult& r) {
  Tree json = header("report", std::nullopt);
  json["output"] = json_of(r.report);
  json["files"] = Tree::list(r.files, [](const auto& file) {
    return Tree{{"path", file.path.string()}, {"schema", file.schema}};
  });
  json["notes"] = r.notes;
  return as_text(json);
}

}  // namespace fp8q
