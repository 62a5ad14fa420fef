// Merging: statistics of the shards of a calibration to those of the whole.
#pragma once

#include "fp8q/common.h"

namespace fp8q {

struct MergeOptions {
  std::vector<fs::path> inputs;  // in any order
  fs::path output;
  bool force = false;  // replace an existing file that fp8q did not write
};

struct MergedPart {
  fs::path path;
  std::string part;  // "examples 43 to 85 of 128"
};

struct MergeResult {
  FileFacts output;
  std::vector<MergedPart> parts;  // in the order of their examples
  size_t examples = 0;
  size_t tokens = 0;
};

// The output is the same bytes as what one run over all the examples writes. Errors (bad_data):
// parts of different runs (saying what differs), a part that is missing, repeated or overlaps, a
// file that is whole already.
MergeResult merge(const MergeOptions& options);

}  // namespace fp8q
