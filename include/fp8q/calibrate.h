// Calibration: run text through a model and record the statistics of the tensors at its Sites.
//
// The statistics are the same, bit for bit, for any batch size and number of threads, and look at
// real tokens only. A run that is interrupted leaves OUTPUT.checkpoint, from which the next run of
// the same kind goes on to the same result. Shards of a run, on any machines, merge to the
// statistics of the whole, bit for bit (merge.h).
#pragma once

#include "fp8q/task_options.h"

namespace fp8q {

struct CalibrateOptions {
  ModelLocation location;
  fs::path output;   // empty: MODEL.calib.json beside the model, of a shard
                     // MODEL.calib.2of3.json
  TaskOptions task;  // whose text is run; split, limit and spans count nothing
  size_t examples = 128;
  bool random_data = false;  // random token ids instead of text
  uint64_t seed = 1;         // of random_data
  size_t shard = 1;          // of `shards`, counted from 1: the examples to run
  size_t shards = 1;
  double checkpoint_seconds = 5;  // between two checkpoints; 0: one after every batch
  bool force = false;             // replace an existing file that fp8q did not write
  ExecutionOptions execution;
};

struct CalibratedSite {
  std::string name;
  std::string path;
  uint64_t count = 0;
  double absmax = 0, min = 0, max = 0, mean = 0, std = 0;
  uint64_t zeros = 0;
  uint64_t nonfinite = 0;
};

struct CalibrateResult {
  FileFacts model;
  FileFacts statistics;
  DataFacts data;
  ExecutionFacts execution;
  std::string task;  // empty where none was used
  std::string part;  // of a shard: "examples 43 to 85 of 128"
  size_t examples = 0;
  size_t tokens = 0;
  std::vector<std::string> observers;  // that can be applied to the statistics
  std::vector<CalibratedSite> sites;
  std::vector<std::string> notes;
};

CalibrateResult calibrate(const CalibrateOptions& options,
                          const ProgressCallback& progress = nullptr);

}  // namespace fp8q
