#include "tests/fuzz/json_samples.h"

#include <array>

#include "calibrate/statistics.h"
#include "evaluate/evaluation.h"
#include "quantize/manifest.h"
#include "report/json.h"
#include "tests/fuzz/tokenizer_files.h"

namespace fp8q::test {
namespace {

const FileFacts kFile{"model.onnx", "aa", 100};

EvaluateResult evaluated() {
  EvaluateResult result;
  result.scores = {.model = kFile, .format = "int8", .metrics = {{"accuracy", 0.5}}};
  result.scores.kernels = {{"layer.0/ffn.output/input", "int8", "int8 exact"}};
  result.scores.rounding = {{"layer.0/ffn.output/input", "int8", 10, 0.1, 0.2}};
  result.baseline = result.scores;
  result.baseline->format = "fp32";
  result.difference = ScoreDifference{
      .score = -1, .ci95_low = -2, .ci95_high = 0, .p_value = 0.5, .test = "t", .flips = {}};
  result.task = "sst2";
  result.split = "dev";
  result.examples = 2;
  return result;
}

ConvertResult converted() {
  ConvertResult result{.source = kFile, .output = kFile, .recipe = "e4m3"};
  for (const char* path : {"layer.0/ffn.output/input", "layer.0/ffn.output/weight"})
    result.sites.push_back({.name = path,
                            .path = path,
                            .kind = "activation",
                            .format = "e4m3",
                            .granularity = "tensor",
                            .observer = "absmax",
                            .sqnr_db = 30.0,
                            .reason = "recipe"});
  return result;
}

CompareResult compared() {
  CompareResult result{.a = kFile, .b = kFile, .format_a = "fp32", .format_b = "int8"};
  for (const int layer : {-1, 0, 1})
    result.sites.push_back({.path = "layer.0/ffn.output/input",
                            .kind = "activation",
                            .role = "ffn.output/input",
                            .layer = layer,
                            .format_a = "float",
                            .format_b = "int8",
                            .values = 10,
                            .sqnr_db = 20});
  result.outputs = {{.name = "logits", .decisions = ComparedOutput::Decisions{2, 0.1, 0.2, 0.5}}};
  return result;
}

SensitivityResult sensitivities() {
  SensitivityResult result{.model = kFile, .statistics = kFile, .recipe = "int8"};
  result.formats = {"e4m3", "int8"};
  result.whole = {{}, {}};
  for (const int layer : {-1, 0})
    result.sites.push_back({.path = "layer.0/query",
                            .name = "v",
                            .kind = "activation",
                            .role = "query",
                            .layer = layer,
                            .best_format = "e4m3",
                            .best_reason = "range",
                            .fit_db = {{"e4m3", 30}, {"int8", 20}},
                            .formats = {{}, {}}});
  result.roles = {{"query", 2, {{}, {}}}};
  result.layers = {{"layer.0", 1, {{}, {}}}};
  return result;
}

TuneResult tuned() {
  TuneResult result{
      .model = kFile, .statistics = kFile, .recipe = "int8", .task = "sst2", .split = "dev"};
  result.evaluations = {{.quantized = 2, .time = 0.5, .score = 80}};
  result.chosen = 0;
  result.fallbacks = {{"layer.0/query", {"layer.0/query"}, "int8", "float", "harm"}};
  return result;
}

BenchmarkResult benchmarked() {
  BenchmarkResult result{.shape = "bert-base"};
  result.variants = {{.format = "fp32"}, {.format = "int8"}};
  result.roofs = {{"fp32", 1e11}};
  for (const size_t variant : {0, 1})
    result.rows.push_back({.variant = variant,
                           .batch = 1,
                           .length = 128,
                           .tokens = 128,
                           .runs = 3,
                           .median_ms = 2,
                           .stages = {{.stage = "ffn", .unit = "fp32", .seconds = 1}}});
  return result;
}

CalibrateResult calibrated() {
  CalibrateResult result{.model = kFile, .statistics = kFile};
  result.sites = {{.name = "v", .path = "layer.0/query", .count = 10, .absmax = 2}};
  return result;
}

InspectResult inspected() {
  InspectResult result{.file = kFile, .producer = "tests", .opset = 21};
  result.encoder = true;
  result.operators = {{"MatMul", 2}};
  result.architecture = {{"layers", "2"}};
  result.sites = {{"v", "layer.0/query", "activation", "float"}};
  return result;
}

ModelRun run_of(const std::string& format) {
  ModelRun run{.file = kFile, .format = format, .tokenizer_sha256 = "bb"};
  run.answers.values = {0, 1};
  run.answers.logits = {{0.5f, -0.5f}, {0.25f, 1.5f}};
  run.sequences = 2;
  run.tokens = 9;
  run.seconds = 0.5;
  run.kernels = {{"layer.0/query", "int8", "int8 exact"}};
  run.rounding = {{"layer.0/query", "int8", {9, 1, 2}}};
  run.engine = "cpu, AVX2";
  return run;
}

}  // namespace

std::string sample_statistics() {
  Statistics statistics;
  statistics.provenance = {.version = "0.1",
                           .model_name = "model.onnx",
                           .model_sha256 = "aa",
                           .max_length = 128,
                           .examples = 2,
                           .tokens = 9};
  statistics.part = {0, 2, 2};
  const std::array<float, 6> values = {0.5f, -1.25f, 0, 3e-9f, 7, 1e20f};
  for (const char* path : {"layer.0/query", "layer.0/ffn.output/input"}) {
    SiteRecord site{path, path, {}};
    site.statistics.observe(values, 3, statistics.sites.size());
    statistics.sites.push_back(std::move(site));
  }
  return to_json(statistics);
}

std::string sample_plan() {
  return R"({"schema":"fp8q/plan/1","recipe":"e4m3","quantize_head":false,
"quantize_embeddings":true,"smooth_quant":"auto","model":{"name":"model.onnx","sha256":"aa"},
"sites":[{"site":"layer.0/ffn.output/input","format":"e4m3","granularity":"tensor",
"observer":"percentile:99.9","reason":"recipe e4m3"},
{"site":"*/weight","format":"float"},{"site":"layer.*","granularity":"block32"}]})";
}

std::string sample_evaluation() {
  Evaluation e;
  e.version = "0.1";
  e.task = {.name = "sst2",
            .classes = {{"negative", "neg"}, {"positive"}},
            .metrics = {MetricKind::accuracy, MetricKind::f1}};
  e.split = "dev";
  e.data = {"dev.tsv", "cc", false, false};
  e.options = {{"max_length", "128"}};
  e.part = {0, 2, 2};
  e.examples = {{.text = "good", .gold = 1}, {.text = "bad", .pair = "worse", .gold = 0}};
  e.baselines = {run_of("fp32")};
  e.models = {
      {.run = run_of("int8"), .baseline = 0, .execution = {.device = "cpu"}, .notes = {"n"}}};
  return to_json(e);
}

std::string sample_checkpoint() {
  return R"({"schema":"fp8q/tune-checkpoint/1","settings":"settings","trials":[0.5,1e-3],
"evaluations":{"abc":{"score":1.0,"difference":0.0,"low":-1.0,"high":1.0}}})";
}

std::string sample_manifest() {
  Manifest manifest{.source = {"0.1", "model.onnx", "aa", 100, "bb"},
                    .recipe = "e4m3-mixed",
                    .sites = {},
                    .tables = {}};
  manifest.sites = {{.path = "layer.0/query",
                     .value = "q",
                     .format = "e4m3",
                     .granularity = "tensor",
                     .observer = "absmax",
                     .absmax = 2,
                     .smallest_scale = 0.5f,
                     .largest_scale = 0.5f,
                     .reason = "recipe"},
                    {.path = "layer.0/key", .value = "k", .reason = "stays float"}};
  manifest.tables = {{.value = "words", .format = "float16", .reason = "table"}};
  Model model;
  write_manifest(manifest, model);
  return model.metadata.begin()->second;
}

std::string sample_config() {
  return R"({"model_type":"bert","architectures":["BertForSequenceClassification"],
"finetuning_task":"sst2","problem_type":"single_label_classification",
"id2label":{"0":"negative","1":"positive"},"num_labels":2,"max_position_embeddings":512,
"type_vocab_size":2,"vocab_size":30522,"pad_token_id":0})";
}

std::string sample_tokenizer() {
  return wordpiece_json(
             {{"type", "Sequence"}, {"normalizers", {{{"type", "NFKC"}}, {{"type", "Lowercase"}}}}})
      .dump();
}

std::string sample_byte_level_tokenizer() { return byte_level_json().dump(); }
std::string sample_byte_vocabulary() { return byte_level_json()["model"]["vocab"].dump(); }
std::string sample_merges() { return merges_txt(); }
std::string sample_vocabulary() { return kVocabTxt; }

std::string sample_tokenizer_config() {
  return R"({"tokenizer_class":"BertTokenizer","do_lower_case":true,"strip_accents":null,
"tokenize_chinese_chars":true,"unk_token":"[UNK]","cls_token":{"content":"[CLS]"},
"sep_token":"[SEP]","pad_token":"[PAD]","mask_token":"[MASK]","model_max_length":512,
"added_tokens_decoder":{"4":{"content":"[MASK]","lstrip":true,"special":true}}})";
}

std::string sample_result() {
  std::string list;
  for (const std::string& text :
       {to_json(evaluated()), to_json(converted()), to_json(compared()), to_json(sensitivities()),
        to_json(tuned()), to_json(benchmarked()), to_json(calibrated()), to_json(inspected())})
    list += (list.empty() ? "[" : ",") + text;
  return list + "]";
}

std::string sample_workspace() {
  return R"({"schema":"fp8q/workspace/1","model":"model.onnx","statistics":"model.calib.json",
"converted":"model.e4m3.onnx"})";
}

}  // namespace fp8q::test
