// Reads SQuAD's JSON, versions 1.1 and 2.0. It has articles of paragraphs. Each paragraph is a text
// with questions whose answers are parts of it.
#pragma once

#include <filesystem>
#include <string>

#include "tasks/dataset.h"
#include "tasks/task.h"

namespace fp8q {

// Returns the questions in `content`, in file order. Errors call the content `path`. Questions
// without the field "answers" (as in the official test files) make the whole data set unlabeled.
// Throws an Error (bad_data) if the structure is different, or if a question is marked as
// impossible but the task has no such questions.
Dataset read_squad(const Task& task, const std::filesystem::path& path, const std::string& content);

}  // namespace fp8q
