// Reads a task's table: tab-separated, one example a line, no quoting, as the official GLUE files
// are.
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
// unlabelled examples (the official test files). Fills labelled and examples of the result.
Dataset read_task_table(const Task& task, const std::string& name, std::string_view content);

// The same for a file; fills path, sha256 and split too.
Dataset read_task_file(const Task& task, const std::filesystem::path& path);

}  // namespace fp8q
