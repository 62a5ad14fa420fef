// Reads the examples of a task from tables (tab-separated, one example per line, no quoting, like
// the official GLUE files), JSON lines with the same columns as members, and SQuAD's JSON.
//
// The input is not trusted. Sizes are bounded, and everything unexpected is ErrorCode::bad_data
// with "file: line N: what was expected and what was found".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tasks/dataset.h"
#include "tasks/task.h"

namespace fp8q {

constexpr uint64_t kMaxDataBytes = uint64_t{1} << 30;  // the largest official file has 80 MB

// Returns the examples in `content`, which errors call `name`. Files without the label column (such
// as the official test files) give unlabeled examples. Rows with too few columns are left out where
// the task's official files have such rows. Fills in labeled, examples and note of the result.
Dataset read_task_table(const Task& task, const std::string& name, std::string_view content);

// Does the same for JSON lines (.jsonl): one object per line, whose members have the names of a
// table's columns. Labels are strings, numbers or truth values (false = 0). If the first line has
// no label member, no line has one.
Dataset read_task_lines(const Task& task, const std::string& name, std::string_view content);

// Reads a file, by the kind of the task and the ending of its name. Also fills in path, sha256 and
// split.
Dataset read_task_file(const Task& task, const std::filesystem::path& path);

}  // namespace fp8q
