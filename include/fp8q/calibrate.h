// Calibration runs text through a model and records the statistics of the tensors at its Sites.
//
// The statistics are bit for bit the same for any batch size and number of threads, and cover real
// tokens only. A run that is interrupted leaves OUTPUT.checkpoint, from which the next run of the
// same kind continues to the same result. The shards of a run, on any machines, merge to statistics
// that are bit for bit those of the whole run (merge.h).
#pragma once

#include "fp8q/task_options.h"

namespace fp8q {

struct CalibrateOptions {
  ModelLocation location;
  // If empty, the file is MODEL.calib.json beside the model, or MODEL.calib.2of3.json for a shard.
  fs::path output;
  TaskOptions task;  // names the text to run; its split, limit and spans are ignored
  size_t examples = 128;
  bool random_data = false;  // random token ids instead of text
  uint64_t seed = 1;         // seed of random_data
  size_t shard = 1;          // the part of the examples to run, 1 to `shards`
  size_t shards = 1;
  double checkpoint_seconds = 5;  // time between two checkpoints; 0: one after every batch
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
  std::string task;  // empty if no task was used
  std::string part;  // for a shard: "examples 43 to 85 of 128"
  size_t examples = 0;
  size_t tokens = 0;
  std::vector<std::string> observers;  // the observers that can be applied to the statistics
  std::vector<CalibratedSite> sites;
  std::vector<std::string> notes;
};

CallFiles files_of(const CalibrateOptions& options);

CalibrateResult calibrate(const CalibrateOptions& options,
                          const ProgressCallback& progress = nullptr);

}  // namespace fp8q
