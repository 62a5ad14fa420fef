// The rules for the files that commands write.
#pragma once

#include <functional>
#include <vector>

#include "fp8q/common.h"

namespace fp8q {

// Every file that belongs to a model at `location`: the ONNX file, the side files in its folder,
// external data, and what stands in for them. Outputs are checked against it.
std::vector<fs::path> files_of_model(const fs::path& location);

// An output file that is about to be written. Error (usage): it is one of the `inputs`. Error
// (file): its folder does not exist, or it exists, is not one that fp8q wrote (`ours`), and `force`
// is not set.
struct OutputCheck {
  fs::path path;
  std::vector<fs::path> inputs;
  bool force = false;
};
void check_output(const OutputCheck& check, const std::function<bool(const fs::path&)>& ours);

}  // namespace fp8q
