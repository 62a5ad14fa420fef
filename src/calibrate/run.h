// Runs a calibration: which examples it covers, what it records, and how an interrupted run
// continues. The caller provides the function that runs the model.
//
// A checkpoint is a statistics file of the examples done so far (Statistics::part). It lies beside
// the output. Statistics merge exactly, so a run that continues from a checkpoint ends with the
// same bytes as a run that was not interrupted.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "calibrate/statistics.h"
#include "fp8q/common.h"
#include "graph/site.h"

namespace fp8q {

// Receives the values at the Site of this index, as rows of `columns` values.
using SeeValues = std::function<void(int site, std::span<const float> values, int64_t columns)>;

// Runs the model on the examples [begin, end), passes the values at its activation Sites to `see`,
// in any number of pieces, and returns the number of tokens.
using ExampleRunner = std::function<size_t(size_t begin, size_t end, const SeeValues& see)>;

struct CalibrationRun {
  const std::vector<Site>& sites;
  Part part;
  Provenance provenance;  // without the numbers of examples and tokens
  size_t batch = 1;       // examples per run of the model
  fs::path checkpoint;
  double checkpoint_seconds = 0;  // time between checkpoints; 0: after every run
};

// Returns the statistics of the part. Continues from the checkpoint if there is one of this same
// run, and adds a note that says which checkpoint it used or why it did not use it. The checkpoint
// stays until the caller has stored the result and removes it.
Statistics run_calibration(const CalibrationRun& run, const ExampleRunner& runner,
                           const ProgressCallback& progress, std::vector<std::string>& notes);

}  // namespace fp8q
