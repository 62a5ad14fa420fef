// Merging combines what the shards of a run found into what the whole run would have found.
//
// Both functions throw an Error (bad_data) if the parts come from different runs (the message says
// what differs), or if a part is missing, repeated or overlaps another one.
#pragma once

#include "fp8q/common.h"
#include "fp8q/evaluate.h"

namespace fp8q {

struct MergedPart {
  fs::path path;
  std::string part;  // "examples 43 to 85 of 128"
};

// Says how the shards of a calibration are merged.
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

// Writes the same bytes as one run over all the examples. Throws an Error (bad_data) if a file
// already covers the whole run.
MergeResult merge(const MergeOptions& options);

// Says how the shards of an evaluation are merged.
struct MergeEvaluationsOptions {
  std::vector<fs::path> inputs;  // files that evaluate_shard() wrote, in any order
  fs::path predictions;          // JSON lines, only if there is one model; empty: not written
  bool force = false;            // replace an existing file that fp8q did not write
};

struct MergeEvaluationsResult {
  std::vector<MergedPart> parts;  // in the order of their examples
  std::vector<EvaluateResult> results;
};

// Returns the results that evaluate() gives on all the examples, except for times and memory. The
// seconds of the parts are added, so that rates are those of one machine. The memory peak is the
// largest of the parts.
MergeEvaluationsResult merge_evaluations(const MergeEvaluationsOptions& options);

// Returns whether the files are inputs of merge_evaluations() rather than of merge(). Throws an
// Error (bad_data) if some are and some are not.
bool hold_evaluations(const std::vector<fs::path>& inputs);

}  // namespace fp8q
