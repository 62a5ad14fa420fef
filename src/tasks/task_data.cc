#include "tasks/task_data.h"

#include "base/error.h"
#include "base/hash.h"
#include "tasks/builtin_sample.h"
#include "tasks/data_location.h"
#include "tasks/task_reader.h"

namespace fp8q {
namespace {
namespace fs = std::filesystem;

std::optional<std::string_view> builtin_table(const Task& task) {
  if (task.name == "sst2") return builtin_sst2_table;
  return std::nullopt;
}

Dataset load_builtin(const Task& task, const DataRequest& request, std::string note) {
  const auto table = builtin_table(task);
  if (!table || request.split != "dev")
    fail(ErrorCode::bad_data, "no {} data of task {} found: {}{}; {}", request.split, task.name,
         note, table ? ", and the built-in sample is a dev set" : "", data_remedy(task));
  Dataset data = read_task_table(task, "built-in " + task.name, *table);
  data.sha256 = sha256(*table);
  data.builtin = true;
  data.split = "dev";
  data.note = fmt::format(
      "{}; scored on the built-in sample of {} sentences, a demonstration and not the {} dev set",
      note, data.examples.size(), task.folder);
  return data;
}

Dataset require_labels(const Task& task, Dataset data) {
  if (data.labeled) return data;
  const std::string name = printable(data.path.string());
  if (task.kind == TaskKind::spans)
    fail(ErrorCode::bad_data,
         "{}: has questions without \"answers\", so there is nothing to compare with; score {} "
         "(--split dev)",
         name, task.dev.front());
  const std::string remedy =
      task.folder.empty()
          ? "name the column with the labels"
          : fmt::format(
                "the official GLUE test files are published without labels. Score {}/{} "
                "(--split dev)",
                task.folder, task.dev.front());
  fail(ErrorCode::bad_data, "{}: has no column \"{}\", so there is nothing to compare with; {}",
       name, task.label_columns[0], remedy);
}

Dataset load_from_folder(const Task& task, const fs::path& folder, const std::string& split) {
  if (const auto path = find_split(task, folder, split))
    return require_labels(task, read_task_file(task, *path));
  const auto test = find_split(task, folder, "test");
  if (split == "dev" && test) {
    Dataset data = require_labels(task, read_task_file(task, *test));
    data.add_note(fmt::format("{} has no {}; scored on its labeled {}", folder.string(),
                              task.dev.front(), test->filename().string()));
    return data;
  }
  const auto& files = task.files(split);
  fail(ErrorCode::bad_data, "{}: has no {}; choose another --split, or {}",
       printable(folder.string()), files.empty() ? split + " file" : files.front(),
       data_remedy(task));
}

}  // namespace

Dataset load_dataset(const Task& task, const DataRequest& request) {
  if (request.split != "train" && request.split != "dev" && request.split != "test")
    fail(ErrorCode::usage, "there is no split \"{}\"; the splits are train, dev, test",
         printable(request.split));
  const auto location = find_data(request.data, request.default_folder);
  if (!location)
    return load_builtin(
        task, request,
        fmt::format("neither --data nor $FP8Q_DATA is given and there is no folder {}",
                    request.default_folder.string()));
  if (location->is_file()) return require_labels(task, read_task_file(task, location->path));
  if (const auto folder = find_task_folder(task, location->path))
    return load_from_folder(task, *folder, request.split);
  const std::string found_none = fmt::format("{} has neither a folder {} nor the task's files",
                                             printable(location->path.string()), task.folder);
  if (!location->named_by_user) return load_builtin(task, request, found_none);
  fail(ErrorCode::bad_data, "{} (given by {}); {}", found_none, location->origin,
       data_remedy(task));
}

}  // namespace fp8q
