// Evaluation scores models on a task, and tests whether a converted model differs from its source.
#pragma once

#include <map>
#include <utility>

#include "fp8q/task_options.h"

namespace fp8q {

struct EvaluateOptions {
  std::vector<fs::path> models;      // files or folders; each one is scored
  std::optional<fs::path> baseline;  // empty: the source named in a converted model's manifest
  bool use_baseline = true;
  std::optional<fs::path> tokenizer;  // overrides the tokenizer beside the models
  std::optional<fs::path> config;
  TaskOptions task;
  size_t shard = 1;  // the part of the examples to run, 1 to `shards`
  size_t shards = 1;
  fs::path output;       // for evaluate_shard(); empty: MODEL.TASK.2of3.json beside the first model
  fs::path predictions;  // JSON lines for the first model; empty: not written
  bool force = false;    // replace an existing file that fp8q did not write
  bool keep_existing = false;  // do not replace `output`, even if fp8q wrote it
  uint64_t seed = 1;           // seed of the bootstrap
  ExecutionOptions execution;
};

// Says what rounding did to the values at a quantized activation Site, over all examples.
struct RoundingFacts {
  std::string path;  // path of the Site
  std::string format;
  uint64_t values = 0;
  double saturated = 0;    // share of the values beyond the largest code by more than half a step
  double underflowed = 0;  // share of the values that round to zero although they are not zero
};

// Holds one model's scores.
struct Scores {
  FileFacts model;
  std::string format;  // "fp32", or the recipe of a converted model
  // The metrics are fractions in -1..1. squad2 also has two thresholds, best_f1_threshold and
  // best_exact_match_threshold, which are differences of logits.
  std::map<std::string, double> metrics;
  std::map<std::string, std::pair<double, double>> metrics_ci95;  // for the score's metrics
  double score = 0;     // in points (x 100): the task's GLUE score; F1 for squad and squad2
  double ci95_low = 0;  // interval of `score`, by bootstrap
  double ci95_high = 0;
  double examples_per_s = 0;  // counts the time of the engine alone
  double tokens_per_s = 0;
  std::vector<KernelFacts> kernels;
  std::vector<RoundingFacts> rounding;  // empty: nothing is quantized, or the engine counts nothing
  std::string engine;
};

// Describes an example whose answer changed.
struct Flip {
  size_t index = 0;  // counted from 0, in the order of the data
  std::string text;
  std::string pair;  // empty for single sentences
  std::string gold;  // label by name; for squad the text of the answer
  std::string baseline;
  std::string model;
};

struct ScoreDifference {
  double score = 0;  // model minus baseline, in points
  double ci95_low = 0;
  double ci95_high = 0;
  double p_value = 1;
  std::string test;
  std::optional<std::vector<Flip>> flips;  // empty: answers are numbers (regressions)
};

struct EvaluateResult {
  Scores scores;
  std::optional<Scores> baseline;
  std::optional<ScoreDifference> difference;
  std::string task;
  std::string split;
  DataFacts data;
  size_t examples = 0;
  size_t sequences = 0;  // inputs run through the model: windows, or the sentences of pairs
  size_t tokens = 0;
  fs::path predictions;
  ExecutionFacts execution;
  std::vector<std::string> notes;
};

CallFiles files_of(const EvaluateOptions& options);        // of evaluate()
CallFiles files_of_shard(const EvaluateOptions& options);  // of evaluate_shard()

// Returns one result per model, in order. The data is read and tokenized once, and the baseline is
// run once.
std::vector<EvaluateResult> evaluate(const EvaluateOptions& options,
                                     const ProgressCallback& progress = nullptr);

// Describes the outcome of running a shard.
struct EvaluateShardResult {
  FileFacts output;
  std::vector<FileFacts> models;  // in the order they were given
  std::vector<FileFacts> baselines;
  std::string task;
  std::string split;
  DataFacts data;
  std::string part;  // "examples 43 to 85 of 128"
  size_t examples = 0;
  size_t tokens = 0;  // counted for the first model
  ExecutionFacts execution;
  std::vector<std::string> notes;
};

// Runs the models on the shard's examples. Writes what merge_evaluations() (merge.h) needs of the
// shard: all answers, and what they are compared with. `predictions` is ignored.
EvaluateShardResult evaluate_shard(const EvaluateOptions& options,
                                   const ProgressCallback& progress = nullptr);

}  // namespace fp8q
