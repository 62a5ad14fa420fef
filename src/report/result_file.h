// Results of commands, read back.
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
  json::Document document;  // that holds it, perhaps with others
  json::Value json;
  std::optional<Statistics> statistics;  // of schema "statistics" only
};

// Every result in these files, and in the *.json files of these folders (others in a folder are
// passed over). A file may hold a list of results. Errors: file; bad_data where a file that was
// named is no result of fp8q.
std::vector<ResultFile> load_results(const std::vector<std::filesystem::path>& inputs);

}  // namespace fp8q
