#include "session/outputs.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/file.h"
#include "onnx/load.h"
#include "session/bundle.h"
#include "tasks/data_location.h"

namespace fp8q {
namespace {

// Returns the real folder of a path, and the name in it. Files are put under that name even where
// it is a link.
fs::path place_of(const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code error;
  const fs::path real = fs::weakly_canonical(folder, error);
  return (error ? fs::absolute(folder).lexically_normal() : real) / path.filename();
}

bool are_same(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  return fs::equivalent(a, b, ignored) || place_of(a) == place_of(b);
}

}  // namespace

void append(std::vector<fs::path>& to, std::vector<fs::path> from) {
  std::ranges::move(from, std::back_inserter(to));
}

std::vector<fs::path> files_of_model(const fs::path& location, const SideFiles& given) {
  const fs::path file = model_file(location);
  std::vector<fs::path> files = {file};
  append(files, external_files_of(file));
  append(files, possible_side_files(file.parent_path(), given));
  return files;
}

std::vector<fs::path> files_of_data(const TaskOptions& options) {
  std::optional<DataLocation> location;
  try {
    location = find_data(options.data, "glue_data");
  } catch (const Error&) {  // whoever reads the data tells that it is not there
  }
  if (!location) return {};
  if (location->is_file()) return {location->path};
  const Task* task = find_task(options.name);
  const auto folder = task ? find_task_folder(*task, location->path) : std::nullopt;
  std::vector<fs::path> files;
  std::error_code ignored;
  if (folder)
    for (const auto& entry : fs::directory_iterator(*folder, ignored))
      files.push_back(entry.path());
  return files;
}

void check_files(const CallFiles& files) {
  for (size_t o = 0; o < files.outputs.size(); ++o) {
    const fs::path& output = files.outputs[o];
    if (output.empty()) continue;
    const std::string shown = printable(output.string());
    for (const fs::path& input : files.inputs)
      if (are_same(output, input))
        fail(ErrorCode::usage,
             "{}: is an input of this command and is never overwritten; choose another output",
             shown);
    for (size_t other = 0; other < o; ++other)
      if (!files.outputs[other].empty() && are_same(output, files.outputs[other]))
        fail(ErrorCode::usage,
             "{}: two outputs of this command are this file ({}); give one of them another name",
             shown, printable(files.outputs[other].string()));
  }
}

void check_output(const OutputCheck& check, const std::function<bool(const fs::path&)>& ours) {
  const std::string shown = printable(check.path.string());
  const fs::path folder = check.path.parent_path();
  if (!folder.empty() && !is_folder(folder))
    fail(ErrorCode::file, "{}: there is no folder {}; make it, or choose another output", shown,
         printable(folder.string()));
  if (!is_there(check.path)) return;
  if (!is_file(check.path))
    fail(ErrorCode::file, "{}: is a folder or device, not a file; choose another output", shown);
  if (check.keep)
    fail(ErrorCode::file,
         "{}: exists outside the current folder, whose workspace alone names the model; name the "
         "model to replace the file",
         shown);
  if (check.force) return;
  if (!ours(check.path))
    fail(ErrorCode::file,
         "{}: exists and was not written by fp8q; replace it with --force, or choose another name",
         shown);
}

}  // namespace fp8q
