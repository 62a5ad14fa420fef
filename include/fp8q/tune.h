// Tuning: a cheap mixture of formats whose score on a task stays within an allowed drop.
#pragma once

#include "fp8q/task_options.h"

namespace fp8q {

struct TuneOptions {
  ModelLocation location;              // a float model, recognized as an encoder
  std::optional<fs::path> statistics;  // empty: MODEL.calib.json beside the model
  std::string recipe = "e4m3";         // what tuning starts from
  std::string observer = "absmax";     // how activation statistics become a range
  bool quantize_head = false;
  // Formats that are tried before floating point; empty: e4m3 where the recipe is INT8, none else.
  std::vector<std::string> fallback;
  bool float_only = false;  // none, whatever the recipe is

  TaskOptions task;
  // In [0, 1): the share of the examples that the search does not see, on which the recipe and the
  // plan it finds are scored at last. 0: the search sees all.
  double holdout = 0;

  double max_drop = 0.5;
  bool relative = false;  // max_drop is in per cent of the float model's score, not in points
  // In (0, 1): the lower end of the difference's interval of this confidence (paired bootstrap)
  // must not fall below the allowed drop. Empty: the difference itself, as it was measured.
  std::optional<double> confidence;
  uint64_t seed = 1;  // of the bootstrap, and of the choice of what is held out

  size_t examples = 16;     // of text that harm is estimated on
  size_t evaluations = 12;  // scorings at most, to take back fallbacks that are not needed
  fs::path output;          // empty: MODEL.<recipe>-tuned.json beside the model
  fs::path checkpoint;      // empty: OUTPUT.checkpoint
  bool restart = false;     // ignore what the checkpoint holds
  bool force = false;       // replace existing files that fp8q did not write
  ExecutionOptions execution;
};

// A scored Plan.
struct TuneEvaluation {
  size_t fallbacks = 0;      // units that are not as the recipe says
  size_t quantized = 0;      // Sites
  double time = 0;           // modeled time of the products against floating point, 0..1
  double score = 0;          // points
  double difference = 0;     // to the float model
  double low = 0, high = 0;  // its interval (TuneOptions::confidence, or 95 %)
  bool meets = false;
  bool from_checkpoint = false;
};

struct TuneFallback {
  std::string unit;                // path of its first Site
  std::vector<std::string> sites;  // paths
  std::string from, to;            // formats
  std::string reason;
};

// A model on the examples that are held out.
struct TuneHeldOut {
  double score = 0;           // points
  double low = 0, high = 0;   // its 95 % interval
  double difference = 0;      // to the float model's on the same examples
  double difference_low = 0;  // its 95 % interval, as of evaluations
  double difference_high = 0;
  double p_value = 1;  // two-sided, of no difference
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
  size_t examples = 0;  // that the search saw
  double baseline = 0;  // the float model's score
  double allowed = 0;   // drop in points
  std::optional<double> confidence;
  std::vector<TuneEvaluation> evaluations;  // in their order; the first is the recipe as it is
  std::optional<size_t> chosen;             // index of the Plan's; empty: none meets the demand
  std::vector<TuneFallback> fallbacks;      // of the Plan
  std::optional<TuneHoldout> holdout;       // of the Plan, where examples were held out
  size_t sites_in_recipe = 0;               // quantized by the recipe
  fs::path plan;                            // empty: none written
  fs::path checkpoint;
  ExecutionFacts execution;
  std::vector<std::string> notes;
};

// Stops the program where it is interrupted; the checkpoint then holds what was scored, and the
// next call goes on from there.
TuneResult tune(const TuneOptions& options, const ProgressCallback& progress = nullptr);

}  // namespace fp8q
