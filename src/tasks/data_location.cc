#include "tasks/data_location.h"

#include <cstdlib>

#include "base/error.h"
#include "base/file.h"

namespace fp8q {

std::optional<DataLocation> find_data(const std::optional<fs::path>& given,
                                      const fs::path& default_folder) {
  const auto named = [&](const fs::path& path, const char* origin) {
    if (!is_there(path))
      fail(ErrorCode::file, "{}: does not exist (given by {})", printable(path.string()), origin);
    return DataLocation{.path = path, .origin = origin, .named_by_user = true};
  };
  if (given) return named(*given, "--data");
  const char* environment = std::getenv("FP8Q_DATA");
  if (environment && *environment) return named(environment, "$FP8Q_DATA");
  if (is_folder(default_folder))
    return DataLocation{.path = default_folder, .origin = "the default folder"};
  return std::nullopt;
}

std::optional<fs::path> find_split(const Task& task, const fs::path& folder,
                                   const std::string& split) {
  for (const std::string& name : task.files(split))
    if (is_there(folder / name)) return folder / name;
  return std::nullopt;
}

std::optional<fs::path> find_task_folder(const Task& task, const fs::path& folder) {
  if (is_folder(folder / task.folder)) return folder / task.folder;
  for (const char* split : {"train", "dev", "test"})
    if (find_split(task, folder, split)) return folder;
  return std::nullopt;
}

std::string data_remedy(const Task& task) {
  if (task.kind == TaskKind::spans)
    return fmt::format(
        "fetch {} from https://rajpurkar.github.io/SQuAD-explorer into ./glue_data/{}, or give a "
        "file or folder with --data PATH",
        task.dev.front(), task.folder);
  return fmt::format(
      "fetch GLUE with scripts/fetch_glue.sh, which makes ./glue_data/{}, or give a file or folder "
      "with --data PATH",
      task.folder);
}

}  // namespace fp8q
