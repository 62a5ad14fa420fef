// Sensitivity: the harm that rounding each Site does, in each format, and which split of 8 bits
// fits each tensor.
#pragma once

#include "fp8q/task_options.h"

namespace fp8q {

struct SensitivityOptions {
  ModelLocation location;              // a float model, recognized as an encoder
  std::optional<fs::path> statistics;  // empty: MODEL.calib.json beside the model
  // Which Sites, and the granularity of weights; the formats are those below.
  std::string recipe = "naive-int8";
  std::string observer = "absmax";  // how activation statistics become a range
  std::vector<std::string> formats = {"e4m3", "e5m2", "int8"};
  // Where a task is named, trials are judged by its score, too, which takes as long as scoring as
  // many models.
  TaskOptions task;
  size_t examples = 16;  // of text that trials run, found as calibration finds it
  ExecutionOptions execution{.device = "cpu"};  // trials run on the CPU
};

// What rounding does to the outputs. Divergence is the mean KL divergence from the float model's
// decisions, in nats; of outputs that are no decisions (regression, hidden states) the squared
// error over the squares of the float outputs.
struct TrialHarm {
  double divergence = 0;
  double nmse = 0;
  // Of outputs that are decisions, else empty: mean -log of the probability of what the float model
  // decides, in nats, and the share of equal decisions.
  std::optional<double> loss, agreement;
  std::optional<double> score;  // of the task, in points
};

struct SensitivitySite {
  std::string path;
  std::string name;  // ONNX value
  std::string kind;  // "activation" or "weight"
  std::string role;  // the path without its layer
  int layer = -1;    // -1 outside layers
  struct {
    double absmax = 0;
    double std = 0;
    double kurtosis = 0;          // about zero; 3 for a normal distribution
    double outlier_ratio = 0;     // absmax / root mean square
    double beyond_6_rms = 0;      // share of values
    double dynamic_range_db = 0;  // absmax over the magnitude that 99 % of the values exceed
  } distribution;           // of weights with channel scales: relative to the channel's absmax
  std::string best_format;  // of e2m5, e3m4, e4m3, e5m2, int8
  std::string best_reason;
  std::vector<std::pair<std::string, double>> fit_db;  // SQNR of each with an absmax scale
  struct InFormat {
    double sqnr_db = 0;  // with the range that is planned
    TrialHarm alone;     // only this Site rounded
    TrialHarm left_out;  // all others rounded
    size_t rank = 0;     // from 1: by alone.divergence, largest first
  };
  std::vector<InFormat> formats;  // by SensitivityResult::formats
};

// Sums over Sites.
struct SensitivityGroup {
  std::string name;  // a role, or "layer.3"
  size_t sites = 0;
  struct Sum {
    double alone = 0;  // divergences
    double gain = 0;   // divergence of everything less that with each Site left out
  };
  std::vector<Sum> formats;
};

struct SensitivityResult {
  FileFacts model;
  FileFacts statistics;
  std::string recipe;
  DataFacts data;
  size_t examples = 0;
  size_t tokens = 0;
  std::string task;  // whose score was taken; empty: none
  std::vector<std::string> formats;
  TrialHarm none;                // the float model: its loss and score
  std::vector<TrialHarm> whole;  // everything rounded, by format
  std::vector<SensitivitySite> sites;
  std::vector<SensitivityGroup> roles, layers;
  size_t trials = 0;
  ExecutionFacts execution;
  std::vector<std::string> notes;
};

SensitivityResult sensitivity(const SensitivityOptions& options,
                              const ProgressCallback& progress = nullptr);

}  // namespace fp8q
