// Finds and loads the text that a command works on.
//
// Data is searched for in this order: the path the user gave, $FP8Q_DATA, ./glue_data, the built-in
// sample. A path may be a file, a task's folder, or a GLUE root with the official folder names.
// Dataset::note says if data was used that the user may not expect. Data that the user named
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
  std::filesystem::path default_folder = "glue_data";  // searched last
};

// Returns labeled examples to score a model on. If a task's folder has no dev file but a labeled
// test file, the test file is used. A file given by path is used as it is, whatever the split.
Dataset load_dataset(const Task& task, const DataRequest& request);

struct CalibrationRequest {
  const Task* task = nullptr;  // the task the model is for, if known
  std::optional<std::filesystem::path> data;
  size_t count = 128;
  std::filesystem::path default_folder = "glue_data";
};

// Returns unlabeled text to calibrate on, at most `count` examples. They come from the training
// file of the task (or its dev or test file if there is none), from the lines of a plain text file,
// in which a tab separates the two texts of a pair, or from the built-in sentences. They are spread
// evenly over the file (tasks/spread.h), because many files are sorted by source.
Dataset load_calibration_text(const CalibrationRequest& request);

}  // namespace fp8q
