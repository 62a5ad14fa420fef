// Reads the examples of a task: tables (tab-separated, one example a line, no quoting, as the
// official GLUE files are), JSON lines with the same columns as members, and SQuAD's JSON.
//
// Untrusted input: sizes are bounded, and everything unexpected is ErrorCode::bad_data with "file:
// line N: what was expected and what was found".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "tasks/dataset.h"
#include "tasks/task.h"

namespace fp8q {

constexpr uint64_t kMaxDataBytes = uint64_t{1} << 30;  // the largest official file has 80 MB
constexpr size_t kMaxLineBytes = size_t{1} << 20;

// Calls visit(number from 1, line) for every line, without its line end and without a byte order
// mark.
void for_each_line(const std::string& name, std::string_view content,
                   const std::function<void(size_t, std::string_view)>& visit);

// The examples in `content`; `name` is what errors call it. Files without the label column give
// unlabeled examples (the official test files). Fills labeled and examples of the result.
Dataset read_task_table(const Task& task, const std::string& name, std::string_view content);

// The same of JSON lines (.jsonl): one object a line, whose members are called as a table's
// columns. Labels are strings, numbers or truth values (false = 0). A label member that the first
// line has not is absent in all.
Dataset read_task_lines(const Task& task, const std::string& name, std::string_view content);

// A file, by the kind of the task and the ending of its name; fills path, sha256 and split too.
Dataset read_task_file(const Task& task, const std::filesystem::path& path);

}  // namespace fp8q
