#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "tasks/builtin_sample.h"
#include "tasks/data_location.h"
#include "tasks/plain_text.h"
#include "tasks/spread.h"
#include "tasks/task_data.h"
#include "tasks/task_reader.h"

namespace fp8q {
namespace {
namespace fs = std::filesystem;

Dataset load_builtin(const Task* task, const std::string& why) {
  Dataset data = read_plain_text("built-in calibration text", builtin_calibration_lines);
  data.sha256 = sha256(builtin_calibration_lines);
  data.builtin = true;
  data.note =
      fmt::format("{}; took its text from {} built-in sentences", why, data.examples.size());
  if (task && task->has_pair())
    data.note += fmt::format(", which are single ones while task {} has pairs", task->name);
  return data;
}

Dataset load_file(const Task* task, const fs::path& path) {
  if (task && task->folder.empty()) return read_task_file(*task, path);  // the user's own task
  if (path.extension() == ".csv")
    fail(ErrorCode::usage,
         "{}: is a table with commas; write its texts one a line into a .txt file, or the table "
         "separated by tabs into a .tsv, and name its task with --task ({}, or text with "
         "--text-column)",
         printable(path.string()), task_names());
  const bool is_table = path.extension() == ".tsv" || path.extension() == ".jsonl";
  if (is_table || path.extension() == ".json") {
    const bool is_of_task = task && is_table == (task->kind == TaskKind::labels);
    if (is_of_task) return read_task_file(*task, path);
    fail(ErrorCode::usage,
         "{}: is a {}; say with --task NAME whose it is ({}), or give plain text, one sentence a "
         "line, in a .txt file",
         printable(path.string()), is_table ? "table" : "JSON file", task_names());
  }
  const std::string content = read_file(path, kMaxDataBytes);
  Dataset data = read_plain_text(printable(path.string()), content);
  data.path = path;
  data.sha256 = sha256(content);
  return data;
}

Dataset load_from_folder(const Task& task, const fs::path& folder) {
  for (const char* split : {"train", "dev", "test"}) {
    const auto path = find_split(task, folder, split);
    if (!path) continue;
    Dataset data = read_task_file(task, *path);
    if (std::string_view(split) != "train")
      data.add_note(fmt::format(
          "{} has no {}; calibrated on text of its {}, which an evaluation on it has then seen",
          printable(folder.string()), task.train.front(), path->filename().string()));
    return data;
  }
  std::vector<std::string> wanted;
  for (const auto* names : {&task.train, &task.dev, &task.test})
    wanted.insert(wanted.end(), names->begin(), names->end());
  fail(ErrorCode::bad_data, "{}: has none of {}; {}", printable(folder.string()),
       fmt::join(wanted, ", "), data_remedy(task));
}

Dataset load_all(const CalibrationRequest& request) {
  const Task* task = request.task;
  const auto location = find_data(request.data, request.default_folder);
  if (!location)
    return load_builtin(
        task, fmt::format("neither --data nor $FP8Q_DATA is given and there is no folder {}",
                          request.default_folder.string()));
  const std::string shown = printable(location->path.string());
  if (location->is_file()) return load_file(task, location->path);
  if (!task) {
    // A root that the user did not name must not stop a model whose task is unknown.
    if (!request.data)
      return load_builtin(task,
                          fmt::format("{} is there, but the task is not known (--task)", shown));
    fail(
        ErrorCode::usage,
        "{}: is a folder; say with --task NAME whose training text to take from it ({}), or give a "
        "text file",
        shown, task_names());
  }
  if (const auto folder = find_task_folder(*task, location->path))
    return load_from_folder(*task, *folder);
  const std::string none =
      fmt::format("{} has neither a folder {} nor the task's files", shown, task->folder);
  if (!location->named_by_user) return load_builtin(task, none);
  fail(ErrorCode::bad_data, "{} (given by {}); {}", none, location->origin, data_remedy(*task));
}

}  // namespace

Dataset load_calibration_text(const CalibrationRequest& request) {
  if (request.count == 0)
    fail(ErrorCode::usage, "calibration needs at least one example, 0 were asked for");
  Dataset data = load_all(request);
  if (data.examples.size() < request.count)
    data.add_note(fmt::format("{} examples were asked for, there are {}", request.count,
                              data.examples.size()));
  data.examples = spread_evenly(std::move(data.examples), request.count);
  return data;
}

}  // namespace fp8q
