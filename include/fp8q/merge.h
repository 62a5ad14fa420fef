// Merging: what the shards of a run found, to what the whole run would have found.
//
// Errors (bad_data) of both: parts of different runs (saying what differs), a part that is missing,
// repeated or overlaps.
#pragma once

#include "fp8q/common.h"
#include "fp8q/evaluate.h"

namespace fp8q {

struct MergedPart {
  fs::path path;
  std::string part;  // "examples 43 to 85 of 128"
};

// Of a calibration.
struct MergeOptions {
  std::vector<fs::path> inputs;  // in any order
  fs::path output;
  bool force = false;  // replace an existing file that fp8q did not write
};

struct MergeResult {
  FileFacts output;
  std::vector<MergedPart> parts;  // in the order of their examples
  size_t examples = 0;
  size_t tokens = 0;
};

// The output is the same bytes as what one run over all the examples writes. Error (bad_data): a
// file is whole already.
MergeResult merge(const MergeOptions& options);

// Of an evaluation.
struct MergeEvaluationsOptions {
  std::vector<fs::path> inputs;  // that evaluate_shard() wrote, in any order
  fs::path predictions;          // JSON lines, where there is one model; empty: not written
  bool force = false;            // replace an existing file that fp8q did not write
};

struct MergeEvaluationsResult {
  std::vector<MergedPart> parts;  // in the order of their examples
  std::vector<EvaluateResult> results;
};

// The results are those of evaluate() on all the examples, but for times: seconds add up over the
// parts, so that rates are those of one machine, and the peak of memory is the largest.
MergeEvaluationsResult merge_evaluations(const MergeEvaluationsOptions& options);

// Whether the files are for merge_evaluations() rather than merge(). Error (bad_data): some are and
// some are not.
bool hold_evaluations(const std::vector<fs::path>& inputs);

}  // namespace fp8q
