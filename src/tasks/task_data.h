// Finds and loads the text that a command works on.
//
// Data is looked for in this order: the path the user gave, $FP8Q_DATA, ./glue_data, the built-in
// sample. A path may be a file, a task's folder, or a GLUE root with the official folder names.
// Whatever is taken that the user may not expect is said in Dataset::note; what the user named
// explicitly is never replaced by something else.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tasks/dataset.h"
#include "tasks/task.h"

namespace fp8q {

struct DataRequest {
  std::optional<std::filesystem::path> data;           // --data
  std::string split = "dev";                           // train, dev or test
  std::filesystem::path default_folder = "glue_data";  // looked for last
};

// Labeled examples to score a model on. Where a task's folder has no dev file but a labeled test
// file, that one is taken. A file given by path is taken as it is, whatever the split.
Dataset load_dataset(const Task& task, const DataRequest& request);

struct CalibrationRequest {
  const Task* task = nullptr;  // the task the model is for, if known
  std::optional<std::filesystem::path> data;
  size_t count = 128;
  std::filesystem::path default_folder = "glue_data";
};

// Unlabeled text to calibrate on, at most `count` examples: the training file of the task (its dev
// or test file where there is none), or the lines of a plain text file, a tab separating the two
// texts of a pair, or the built-in sentences; spread evenly over the file (tasks/spread.h), because
// many are sorted by source.
Dataset load_calibration_text(const CalibrationRequest& request);

}  // namespace fp8q
