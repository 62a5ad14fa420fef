// A run of calibration: which examples, what is recorded, and how an interrupted run goes on. Who
// runs the model is the caller's affair.
//
// A checkpoint is a statistics file of the examples done so far (Statistics::part), beside the
// output. Statistics merge exactly, so a run that goes on from one ends with the same bytes as a
// run that was not interrupted.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "calibrate/statistics.h"
#include "fp8q/common.h"
#include "graph/site.h"

namespace fp8q {

// The values at the Site of this index: rows of `columns`.
using SeeValues = std::function<void(int site, std::span<const float> values, int64_t columns)>;

// Runs the model on the examples [begin, end), shows the values at its activation Sites, in any
// number of pieces, and returns how many tokens there were.
using ExampleRunner = std::function<size_t(size_t begin, size_t end, const SeeValues& see)>;

struct CalibrationRun {
  const std::vector<Site>& sites;
  Part part;
  Provenance provenance;  // but for the numbers of examples and tokens
  size_t batch = 1;       // examples per run of the model
  fs::path checkpoint;
  double checkpoint_seconds = 0;  // between two checkpoints; 0: one after every run of the model
};

// The statistics of the part. Goes on from the checkpoint where there is one of this very run, and
// says in a note which it used or why it did not. The checkpoint stays until the caller has stored
// the result and removes it.
Statistics run_calibration(const CalibrationRun& run, const ExampleRunner& runner,
                           const ProgressCallback& progress, std::vector<std::string>& notes);

}  // namespace fp8q
