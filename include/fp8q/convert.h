// Conversion: a float model and its statistics to a model with 8-bit weights and Q/DQ nodes, as
// standard ONNX.
#pragma once

#include "fp8q/common.h"

namespace fp8q {

struct ConvertOptions {
  fs::path model;  // ONNX file or folder
  // Of calibrate, or the table of another tool: a TensorRT calibration cache, or onnxruntime's
  // calibration.json or calibration.cache. Empty: MODEL.calib.json beside the model, where needed.
  std::optional<fs::path> statistics;
  fs::path output;     // empty: MODEL.<recipe>.onnx beside the model; with a plan file PLAN.json
                       // MODEL.PLAN.onnx; with `smooth_quant` or `sites` "-smooth" and "-mixed"
                       // after the recipe
  std::string recipe;  // empty: e4m3
  // How statistics become a range, with its parameter: "mse", "percentile:99.999".
  std::string observer;              // of activations; empty: absmax
  std::string weight_observer;       // empty: absmax
  bool quantize_head = false;        // pooler and classifier too
  bool quantize_embeddings = false;  // 8-bit rows with a scale per row
  // SmoothQuant: "auto", or alpha from 0 to 1; empty: none. Needs fp8q's own statistics and absmax.
  std::string smooth_quant;
  // Decisions for single Sites, applied in order, the last one that matches counts:
  // PATTERN=[FORMAT][@GRANULARITY][:OBSERVER[:PARAMETER]] with a path or a pattern of * ? [...].
  std::vector<std::string> sites;
  // A plan file: recipe and decisions, before those of `sites`. Excludes recipe, observers and
  // smooth_quant.
  std::optional<fs::path> plan;
  std::optional<fs::path> write_plan;  // where to write the decision for every Site
  // Where to write the ranges of activations for other tools: *.json for onnxruntime, else a
  // TensorRT calibration cache.
  std::optional<fs::path> write_ranges;
  bool force = false;  // replace existing files that fp8q did not write
};

struct ConvertedSite {
  std::string name;
  std::string path;
  std::string kind;         // "activation" or "weight"
  std::string format;       // "e4m3", or "float" where the Site is not quantized
  std::string granularity;  // "tensor", "channel", "groups48", "block32", "tile32", "token"
  std::string observer;     // "absmax", "percentile:99.99"
  double scale_min = 0;     // equal for one scale; 0 where scales are found at run time
  double scale_max = 0;
  // Signal to quantization noise: of weights exact, of activations from the histogram, empty where
  // there is none.
  std::optional<double> sqnr_db;
  std::optional<double> alpha;  // SmoothQuant's, of an activation whose channels have factors
  std::string reason;           // why this format, or why none
};

struct ConvertResult {
  FileFacts source;
  FileFacts output;
  std::optional<FileFacts> statistics;  // empty where none were needed
  fs::path plan;                        // the plan file written; empty: none
  std::string recipe;                   // "e4m3", "e4m3-mixed"
  double elapsed_s = 0;
  uint64_t peak_rss_bytes = 0;
  uint64_t matrix_bytes_before = 0;     // of the quantized weights, as FP32
  uint64_t matrix_bytes_after = 0;      // as codes, without scales
  uint64_t embedding_bytes_before = 0;  // of the embedding tables, as FP32
  uint64_t embedding_bytes_after = 0;
  std::vector<ConvertedSite> sites;
  std::vector<std::string> notes;
};

ConvertResult convert(const ConvertOptions& options);

std::vector<std::string> recipe_names();
std::vector<std::string> observer_names();

}  // namespace fp8q
