// Sensitivity measures the harm of rounding each Site in each format, and finds the split of 8 bits
// into exponent and mantissa that fits each tensor.
#pragma once

#include "fp8q/task_options.h"

namespace fp8q {

struct SensitivityOptions {
  ModelLocation location;              // a float model, recognized as an encoder
  std::optional<fs::path> statistics;  // empty: MODEL.calib.json beside the model
  // The recipe tells which Sites to try and the granularity of weights. The formats are those of
  // `formats`.
  std::string recipe = "naive-int8";
  std::string observer = "absmax";  // turns activation statistics into a range
  std::vector<std::string> formats = {"e4m3", "e5m2", "int8"};
  // If a task is named, trials are also judged by its score. This takes as long as scoring that
  // many models.
  TaskOptions task;
  size_t examples = 16;  // texts that trials run, chosen as calibration chooses them
  ExecutionOptions execution{.device = "cpu"};  // trials run on the CPU
};

// Says what rounding does to the outputs. For outputs that are decisions, `divergence` is the mean
// KL divergence from the float model's decisions, in nats. For other outputs (regression, hidden
// states) it is the squared error over the squares of the float outputs.
struct TrialHarm {
  double divergence = 0;
  double nmse = 0;
  // Both are empty unless outputs are decisions. `loss` is the mean -log of the probability of what
  // the float model decides, in nats. `agreement` is the share of equal decisions.
  std::optional<double> loss, agreement;
  std::optional<double> score;  // score of the task, in points
};

struct SensitivitySite {
  std::string path;
  std::string name;  // name of the ONNX value
  std::string kind;  // "activation" or "weight"
  std::string role;  // the path without its layer
  int layer = -1;    // -1 outside layers
  struct {
    double absmax = 0;
    double std = 0;
    double kurtosis = 0;          // about zero; a normal distribution has 3
    double outlier_ratio = 0;     // absmax / root mean square
    double beyond_6_rms = 0;      // share of the values beyond 6 root mean squares
    double dynamic_range_db = 0;  // absmax over the magnitude that 99 % of the values exceed
  } distribution;           // for weights with channel scales, relative to the channel's absmax
  std::string best_format;  // one of e2m5, e3m4, e4m3, e5m2, int8
  std::string best_reason;
  std::vector<std::pair<std::string, double>> fit_db;  // SQNR of each format with an absmax scale
  struct InFormat {
    double sqnr_db = 0;  // SQNR with the planned range
    TrialHarm alone;     // harm if only this Site is rounded
    TrialHarm left_out;  // harm if all other Sites are rounded
    size_t rank = 0;     // counted from 1 by alone.divergence, largest first
  };
  std::vector<InFormat> formats;  // in the order of SensitivityResult::formats
};

// Holds sums over the Sites of a group.
struct SensitivityGroup {
  std::string name;  // a role, or "layer.3"
  size_t sites = 0;
  struct Sum {
    double alone = 0;  // sum of the divergences
    double gain = 0;   // sum of whole divergence - left_out.divergence
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
  std::string task;  // the task that was scored; empty: none
  std::vector<std::string> formats;
  TrialHarm none;                // the float model, with its loss and score
  std::vector<TrialHarm> whole;  // with everything rounded, by format
  std::vector<SensitivitySite> sites;
  std::vector<SensitivityGroup> roles, layers;
  size_t trials = 0;
  ExecutionFacts execution;
  std::vector<std::string> notes;
};

CallFiles files_of(const SensitivityOptions& options);

SensitivityResult sensitivity(const SensitivityOptions& options,
                              const ProgressCallback& progress = nullptr);

}  // namespace fp8q
