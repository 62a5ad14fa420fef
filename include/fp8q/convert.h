// Conversion turns a float model and its statistics into a model with 8-bit weights and Q/DQ nodes,
// as standard ONNX.
#pragma once

#include "fp8q/common.h"

namespace fp8q {

struct ConvertOptions {
  fs::path model;  // ONNX file or folder
  // This file holds the statistics that calibrate wrote, or the table of another tool: a TensorRT
  // calibration cache, or onnxruntime's calibration.json or calibration.cache. If it is empty and
  // statistics are needed, they come from MODEL.calib.json beside the model.
  std::optional<fs::path> statistics;
  // If empty, the file is MODEL.<recipe>.onnx beside the model, or MODEL.PLAN.onnx with a plan file
  // PLAN.json. `smooth_quant` and `sites` add "-smooth" and "-mixed" after the recipe.
  fs::path output;
  std::string recipe;  // empty: e4m3
  // An observer is the method that turns statistics into a range, with its parameter: "mse",
  // "percentile:99.999".
  std::string observer;              // for activations; empty: absmax
  std::string weight_observer;       // for weights; empty: absmax
  bool quantize_head = false;        // quantize the pooler and the classifier too
  bool quantize_embeddings = false;  // store 8-bit rows with a scale per row
  // SmoothQuant's alpha is "auto" or a number from 0 to 1. If empty, SmoothQuant is not used. It
  // needs fp8q's own statistics and absmax.
  std::string smooth_quant;
  // These decisions for single Sites are applied in order: the last one that matches wins. Each has
  // the form PATTERN=[FORMAT][@GRANULARITY][:OBSERVER[:PARAMETER]] with a path or a pattern of * ?
  // [...].
  std::vector<std::string> sites;
  // A plan file holds a recipe and decisions, which are applied before those of `sites`. It cannot
  // be combined with recipe, observers and smooth_quant.
  std::optional<fs::path> plan;
  std::optional<fs::path> write_plan;  // where to write the decision for every Site
  // The ranges of activations are written here for other tools: *.json for onnxruntime, any other
  // name for a TensorRT calibration cache.
  std::optional<fs::path> write_ranges;
  bool force = false;          // replace existing files that fp8q did not write
  bool keep_existing = false;  // do not replace the output, even if fp8q wrote it
};

struct ConvertedSite {
  std::string name;
  std::string path;
  std::string kind;         // "activation" or "weight"
  std::string format;       // "e4m3", or "float" if the Site is not quantized
  std::string granularity;  // "tensor", "channel", "groups48", "block32", "tile32", "token"
  std::string observer;     // "absmax", "percentile:99.99"
  double scale_min = 0;     // scale_max if there is one scale; 0 if scales are found at run time
  double scale_max = 0;
  // This signal-to-quantization-noise ratio is exact for weights, computed from the histogram for
  // activations, and empty if there is no histogram.
  std::optional<double> sqnr_db;
  // This is SmoothQuant's alpha, set if the channels of the activation have factors.
  std::optional<double> alpha;
  std::string reason;  // why this format was chosen, or why none was
};

struct ConvertResult {
  FileFacts source;
  FileFacts output;
  std::optional<FileFacts> statistics;  // empty if none were needed
  fs::path plan;                        // the plan file that was written; empty: none
  std::string recipe;                   // "e4m3", "e4m3-mixed"
  double elapsed_s = 0;
  uint64_t peak_rss_bytes = 0;          // mapped files included
  uint64_t planned_bytes = 0;           // plan of the memory that the process allocates
  uint64_t matrix_bytes_before = 0;     // size of the quantized weights as FP32
  uint64_t matrix_bytes_after = 0;      // size of their codes, without scales
  uint64_t embedding_bytes_before = 0;  // size of the embedding tables as FP32
  uint64_t embedding_bytes_after = 0;
  std::vector<ConvertedSite> sites;
  std::vector<std::string> notes;
};

CallFiles files_of(const ConvertOptions& options);

ConvertResult convert(const ConvertOptions& options);

std::vector<std::string> recipe_names();
std::vector<std::string> format_names();
std::vector<std::string> observer_names();

}  // namespace fp8q
