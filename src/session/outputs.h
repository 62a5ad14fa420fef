// Enforces the rules for the files that commands write.
#pragma once

#include <functional>
#include <vector>

#include "fp8q/common.h"

namespace fp8q {

// Returns every file that belongs to a model at `location`: the ONNX file, the side files in its
// folder, external data, and the files that replace them. Outputs are checked against this list.
std::vector<fs::path> files_of_model(const fs::path& location);

// Describes an output file that is about to be written. check_output() throws an Error (usage) if
// it is one of the `inputs`. It throws an Error (file) if the folder does not exist, or if the file
// exists, fp8q did not write it (`ours`), and `force` is not set.
struct OutputCheck {
  fs::path path;
  std::vector<fs::path> inputs;
  bool force = false;
};
void check_output(const OutputCheck& check, const std::function<bool(const fs::path&)>& ours);

}  // namespace fp8q
