// Enforces the rules for the files that commands write.
#pragma once

#include <functional>
#include <vector>

#include "fp8q/task_options.h"
#include "session/side_files.h"

namespace fp8q {

// Returns every file that belongs to a model at `location`: the ONNX file, its external data, and
// the side files that may be read with it.
std::vector<fs::path> files_of_model(const fs::path& location, const SideFiles& given = {});

// Returns the files that the data of a task may be read from.
std::vector<fs::path> files_of_data(const TaskOptions& options);

void append(std::vector<fs::path>& to, std::vector<fs::path> from);

// Describes an output file that is about to be written. check_output() throws an Error (file) if
// its folder does not exist, or if the file exists and `keep` is set, or if it exists, fp8q did not
// write it (`ours`), and `force` is not set. check_files() tells it from inputs and other outputs.
struct OutputCheck {
  fs::path path;
  bool force = false;
  bool keep = false;
};
void check_output(const OutputCheck& check, const std::function<bool(const fs::path&)>& ours);

}  // namespace fp8q
