// Reads back the results of commands.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/statistics.h"
#include "json/document.h"

namespace fp8q {

struct ResultFile {
  std::filesystem::path path;
  std::string schema;       // "eval" of "fp8q/eval/1"
  json::Document document;  // holds the result, perhaps with others
  json::Value json;
  std::optional<Statistics> statistics;  // for schema "statistics" only
};

// Returns whether a file begins like a result of a command, or like a list of them.
bool is_result_file(const std::filesystem::path& path);

// Returns every result in these files, and in the *.json files of these folders. Files in a folder
// that are not results are skipped. The results may take 1 GiB of memory in all, and there may be
// 10,000 of them; more is an Error (limit). A file may hold a list of results. Throws an Error
// (file), or an Error (bad_data) if a named file is not a result of fp8q.
std::vector<ResultFile> load_results(const std::vector<std::filesystem::path>& inputs);

}  // namespace fp8q
