// Finds data by the search order of task_data.h and the official names of folders and files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tasks/task.h"

namespace fp8q {

struct DataLocation {
  std::filesystem::path path;  // this path exists
  std::string origin;          // "--data", "$FP8Q_DATA" or "the default folder", for messages
  bool named_by_user = false;  // by an option or the environment

  bool is_file() const { return !std::filesystem::is_directory(path); }
};

// Returns nullopt if there is only the built-in sample. Fails with ErrorCode::file if a path that
// the user named does not exist.
std::optional<DataLocation> find_data(const std::optional<std::filesystem::path>& given,
                                      const std::filesystem::path& default_folder);

// Returns the folder of a task in a GLUE root, or `folder` itself if it holds the task's files.
std::optional<std::filesystem::path> find_task_folder(const Task& task,
                                                      const std::filesystem::path& folder);

// Returns the file of a split in the task's folder, if there is one.
std::optional<std::filesystem::path> find_split(const Task& task,
                                                const std::filesystem::path& folder,
                                                const std::string& split);

// Returns a sentence for error messages that says how to get the data of a task.
std::string data_remedy(const Task& task);

}  // namespace fp8q
