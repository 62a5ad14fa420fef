// Tuning finds a cheap mixture of formats whose score on a task stays within an allowed drop.
#pragma once

#include "fp8q/task_options.h"

namespace fp8q {

struct TuneOptions {
  ModelLocation location;              // a float model, recognized as an encoder
  std::optional<fs::path> statistics;  // empty: MODEL.calib.json beside the model
  std::string recipe = "e4m3";         // the starting point of tuning
  std::string observer = "absmax";     // turns activation statistics into a range
  bool quantize_head = false;
  // These formats are tried before floating point. If empty, they are e4m3 if the recipe is INT8,
  // otherwise none.
  std::vector<std::string> fallback;
  bool float_only = false;  // try no other format, whatever the recipe is

  TaskOptions task;
  // This share of the examples, in [0, 1), is not seen by the search. The recipe and the plan that
  // the search finds are scored on it at the end. If 0, the search sees all examples.
  double holdout = 0;

  double max_drop = 0.5;
  bool relative = false;  // max_drop is in percent of the float model's score, not in points
  // This is the confidence, in (0, 1), of an interval of the difference (paired bootstrap), whose
  // lower end must not fall below the allowed drop. If empty, the measured difference itself must
  // not.
  std::optional<double> confidence;
  uint64_t seed = 1;  // seed of the bootstrap and of the choice of held-out examples

  size_t examples = 16;        // texts on which harm is estimated
  size_t evaluations = 12;     // limit on the scorings that take back unnecessary fallbacks
  fs::path output;             // empty: MODEL.<recipe>-tuned.json beside the model
  fs::path checkpoint;         // empty: OUTPUT.checkpoint
  bool restart = false;        // ignore the contents of the checkpoint
  bool force = false;          // replace existing files that fp8q did not write
  bool keep_existing = false;  // replace no existing file, even if fp8q wrote it
  ExecutionOptions execution;
};

// Describes a Plan that was scored.
struct TuneEvaluation {
  size_t fallbacks = 0;      // units whose format is not the recipe's
  size_t quantized = 0;      // number of Sites
  double time = 0;           // modeled time of the products relative to floating point, 0..1
  double score = 0;          // in points
  double difference = 0;     // from the float model's score
  double low = 0, high = 0;  // interval of `difference` (TuneOptions::confidence, or 95 %)
  bool meets = false;
  bool from_checkpoint = false;
};

struct TuneFallback {
  std::string unit;                // path of the unit's first Site
  std::vector<std::string> sites;  // paths
  std::string from, to;            // formats
  std::string reason;
};

// Holds the scores of a model on the held-out examples.
struct TuneHeldOut {
  double score = 0;           // in points
  double low = 0, high = 0;   // its 95 % interval
  double difference = 0;      // from the float model's score on the same examples
  double difference_low = 0;  // its 95 % interval, computed as in TuneEvaluation
  double difference_high = 0;
  double p_value = 1;  // two-sided, for no difference
};

struct TuneHoldout {
  size_t examples = 0;
  TuneHeldOut baseline;  // the float model
  TuneHeldOut recipe;
  TuneHeldOut tuned;
  std::string test;  // "mcnemar-exact" or "paired-bootstrap"
};

struct TuneResult {
  FileFacts model;
  FileFacts statistics;
  std::string recipe;
  std::string task, split;
  DataFacts data;
  size_t examples = 0;  // number that the search saw
  double baseline = 0;  // the float model's score
  double allowed = 0;   // allowed drop in points
  std::optional<double> confidence;
  std::vector<TuneEvaluation> evaluations;  // in their order; the first is the unchanged recipe
  std::optional<size_t> chosen;             // index of an evaluation; empty: none meets the demand
  std::vector<TuneFallback> fallbacks;      // fallbacks of the chosen Plan
  std::optional<TuneHoldout> holdout;       // results of the chosen Plan, if examples were held out
  size_t sites_in_recipe = 0;               // number of Sites that the recipe quantizes
  fs::path plan;                            // empty: none was written
  fs::path checkpoint;
  ExecutionFacts execution;
  std::vector<std::string> notes;
};

CallFiles files_of(const TuneOptions& options);

// An interruption ends the program. The checkpoint then holds the scored plans, and the next call
// continues from there.
TuneResult tune(const TuneOptions& options, const ProgressCallback& progress = nullptr);

}  // namespace fp8q
