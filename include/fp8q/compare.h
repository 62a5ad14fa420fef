// Comparison of two models on the same inputs: where their tensors differ, and how much of it
// reaches the outputs.
#pragma once

#include "fp8q/task_options.h"

namespace fp8q {

struct CompareOptions {
  fs::path a;                         // file or folder; the reference: signals are its tensors
  fs::path b;                         // file or folder
  std::optional<fs::path> tokenizer;  // override what stands beside `a`
  std::optional<fs::path> config;
  TaskOptions task;  // whose text is run, as in calibration
  size_t examples = 128;
  // On the CPU, where an FP32 model runs in FP32. `batch` bounds memory: the tensors of all Sites
  // of one batch are held.
  ExecutionOptions execution{.device = "cpu"};
};

// How far the tensor of `b` at a Site is from that of `a`, as their products read them: rounded
// where the Site is quantized.
struct ComparedSite {
  std::string path;
  std::string kind;      // "activation" or "weight"
  std::string role;      // the path without its layer
  int layer = -1;        // -1 outside layers
  std::string format_a;  // "float", "e4m3", ...
  std::string format_b;
  uint64_t values = 0;  // compared; not those of which one is not finite
  uint64_t nonfinite = 0;
  double sqnr_db = 0;  // infinite where equal
  double cosine = 1;
  double max_error = 0;  // largest absolute difference
  // Of the rounding at this very Site in `b` alone, without what came before; empty where `b` does
  // not round there, and for weights, whose whole error it is.
  std::optional<double> rounding_sqnr_db;
  // Shares of the values of `b` at a quantized Site: beyond the largest code by more than half a
  // step; made zero without being it. 0 where the engine of `b` does not count (GPU). Of weights,
  // whose numbers before rounding are not in the file, the second only, counting what is zero in
  // `b` and not in `a`.
  double saturated = 0;
  double underflowed = 0;
};

// The difference of an output.
struct ComparedOutput {
  std::string name;
  double max_error = 0;
  double nmse = 0;  // squared error / squares of `a`
  double cosine = 1;
  // Of outputs that are decisions (logits of classes, or of positions in a text). KL divergence of
  // `b` from `a` in nats, and the share of equal decisions.
  struct Decisions {
    size_t count = 0;
    double kl_mean = 0;
    double kl_max = 0;
    double agreement = 1;  // 0..1
  };
  std::optional<Decisions> decisions;
};

struct CompareResult {
  FileFacts a, b;
  std::string format_a, format_b;  // "fp32", or the recipe of a converted model
  DataFacts data;
  std::string task;  // whose text was taken; empty: none
  size_t examples = 0;
  size_t tokens = 0;
  std::vector<ComparedSite> sites;  // in the model's order
  std::vector<ComparedOutput> outputs;
  // Of all values at the activation Sites that `b` quantizes.
  double saturated = 0;
  double underflowed = 0;
  ExecutionFacts execution;
  std::vector<std::string> notes;
};

// Error (unsupported): the models do not have the same Sites, outputs or sizes.
CompareResult compare(const CompareOptions& options, const ProgressCallback& progress = nullptr);

}  // namespace fp8q
