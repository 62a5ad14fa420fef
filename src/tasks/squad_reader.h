// Reads SQuAD's JSON, versions 1.1 and 2.0: articles of paragraphs, each a text with questions
// whose answers are parts of it.
#pragma once

#include <filesystem>
#include <string>

#include "tasks/dataset.h"
#include "tasks/task.h"

namespace fp8q {

// The questions in `content`, in file order; `path` is what errors call it. Questions without the
// field "answers" (the official test files) make the whole unlabeled. Error (bad_data): another
// structure, or a question marked as impossible where the task has none.
Dataset read_squad(const Task& task, const std::filesystem::path& path, const std::string& content);

}  // namespace fp8q
