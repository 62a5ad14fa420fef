// Running calibration text through an engine: which examples, what is recorded, and how an
// interrupted run goes on.
//
// A checkpoint is a statistics file of the examples done so far (Statistics::part), beside the
// output. Statistics merge exactly, so a run that goes on from one ends with the same bytes as a
// run that was not interrupted.
#pragma once

#include "api/calibration_text.h"
#include "calibrate/statistics.h"

namespace fp8q {

struct CalibrationRun {
  const Bundle& bundle;
  const CalibrationText& text;
  Part part;
  Provenance provenance;  // but for the numbers of examples and tokens
  size_t batch = 1;       // examples per run of the engine
  fs::path checkpoint;
  double checkpoint_seconds = 0;  // between two checkpoints; 0: one after every run of the engine
};

// The statistics of the part. Goes on from the checkpoint where there is one of this very run, and
// says in a note which it used or why it did not. The checkpoint stays until the caller has stored
// the result and removes it.
Statistics run_calibration(const CalibrationRun& run, Engine& engine,
                           const ProgressCallback& progress, std::vector<std::string>& notes);

}  // namespace fp8q
