// Conversion: a float model and its statistics to a model with 8-bit weights and Q/DQ nodes, as
// standard ONNX.
#pragma once

#include "fp8q/common.h"

namespace fp8q {

struct ConvertOptions {
  fs::path model;                      // ONNX file or folder
  std::optional<fs::path> statistics;  // empty: MODEL.calib.json beside the model
  fs::path output;                     // empty: MODEL.<recipe>.onnx beside the model
  std::string recipe = "e4m3";
  std::string observer = "absmax";   // how activation statistics become a range
  bool quantize_head = false;        // pooler and classifier too
  bool quantize_embeddings = false;  // 8-bit rows with a scale per row
  bool force = false;                // replace an existing file that fp8q did not write
};

struct ConvertedSite {
  std::string name;
  std::string path;
  std::string kind;         // "activation" or "weight"
  std::string format;       // "e4m3", or "float" where the Site is not quantised
  std::string granularity;  // "tensor", "channel"
  double scale_min = 0;     // equal for one scale
  double scale_max = 0;
  double sqnr_db =
      0;  // signal to quantisation noise; of weights exact, of activations from the histogram
  std::string reason;  // why this format, or why none
};

struct ConvertResult {
  FileFacts source;
  FileFacts output;
  FileFacts statistics;
  std::string recipe;
  double elapsed_s = 0;
  uint64_t peak_rss_bytes = 0;
  uint64_t matrix_bytes_before = 0;     // of the quantised weights, as FP32
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
