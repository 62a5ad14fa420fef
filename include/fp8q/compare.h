// Compares two models on the same inputs: where their tensors differ, and how much of the
// difference reaches the outputs.
#pragma once

#include "fp8q/task_options.h"

namespace fp8q {

struct CompareOptions {
  // `a` is a file or folder. It is the reference: SQNR takes its tensors as signals.
  fs::path a;
  fs::path b;                         // file or folder
  std::optional<fs::path> tokenizer;  // overrides the tokenizer beside `a`
  std::optional<fs::path> config;
  TaskOptions task;  // names the text to run, as in calibration
  size_t examples = 128;
  // The default is the CPU, where an FP32 model runs in FP32. `batch` bounds the memory, since the
  // tensors of all Sites are held for one batch.
  ExecutionOptions execution{.device = "cpu"};
};

// Says how far the tensor of `b` at a Site is from that of `a`. The tensors are taken as the
// products read them: rounded if the Site is quantized.
struct ComparedSite {
  std::string path;
  std::string kind;      // "activation" or "weight"
  std::string role;      // the path without its layer
  int layer = -1;        // -1 outside layers
  std::string format_a;  // "float", "e4m3", ...
  std::string format_b;
  uint64_t values = 0;  // compared pairs; a pair with a value that is not finite is not compared
  uint64_t nonfinite = 0;
  double sqnr_db = 0;  // infinite if the tensors are equal
  double cosine = 1;
  double max_error = 0;  // largest absolute difference
  // This is the SQNR of the rounding at this Site alone in `b`, without the errors that came in
  // from earlier Sites. It is empty if `b` does not round there, and for weights, whose whole error
  // is rounding.
  std::optional<double> rounding_sqnr_db;
  // These are shares of the values of `b` at a quantized Site. `saturated` counts values beyond the
  // largest code by more than half a step. `underflowed` counts values that round to zero although
  // they are not zero. Both are 0 if the engine of `b` does not count them (GPU). A weight has only
  // `underflowed`, because the file does not hold its numbers before rounding. It counts the values
  // that are zero in `b` and not in `a`.
  double saturated = 0;
  double underflowed = 0;
};

// Says how one output differs.
struct ComparedOutput {
  std::string name;
  double max_error = 0;
  double nmse = 0;  // squared error / squares of `a`
  double cosine = 1;
  // Is set for outputs that are decisions (logits of classes, or of positions in a text). It holds
  // the KL divergence of `b` from `a` in nats, and the share of equal decisions.
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
  std::string task;  // the task whose text was used; empty: none
  size_t examples = 0;
  size_t tokens = 0;
  std::vector<ComparedSite> sites;  // in the model's order
  std::vector<ComparedOutput> outputs;
  // These are shares of all values at the activation Sites that `b` quantizes.
  double saturated = 0;
  double underflowed = 0;
  ExecutionFacts execution;
  std::vector<std::string> notes;
};

CallFiles files_of(const CompareOptions& options);

// Throws an Error (unsupported) if the models do not have the same Sites, outputs or sizes.
CompareResult compare(const CompareOptions& options, const ProgressCallback& progress = nullptr);

}  // namespace fp8q
