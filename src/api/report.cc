#include "fp8q/report.h"

#include "base/error.h"
#include "base/file.h"
#include "base/file_facts.h"
#include "report/page.h"
#include "session/outputs.h"

namespace fp8q {
namespace {

bool is_report(const fs::path& path) {
  try {
    return is_report_page(read_file(path, uint64_t{1} << 28));
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

CallFiles files_of(const ReportOptions& options) {
  CallFiles files{options.inputs, {options.output}};
  std::error_code ignored;
  for (const fs::path& input : options.inputs)
    for (const auto& entry : fs::directory_iterator(input, ignored))
      files.inputs.push_back(entry.path());
  return files;
}

ReportResult report(const ReportOptions& options) {
  if (options.inputs.empty())
    fail(ErrorCode::usage, "a report needs results: name files that --json wrote, or statistics");
  check_files(files_of(options));
  check_output({.path = options.output, .force = options.force}, is_report);
  const std::vector<ResultFile> results = load_results(options.inputs);
  if (results.empty())
    fail(ErrorCode::bad_data, "{}: holds no results of fp8q; write some with --json FILE",
         printable(options.inputs.front().string()));
  ReportResult result;
  for (const ResultFile& file : results) result.files.push_back({file.path, file.schema});
  write_file_atomically(options.output, report_page(results, {.title = options.title,
                                                              .version = std::string(version()),
                                                              .sites = options.sites}));
  result.report = facts_of(options.output);
  return result;
}

}  // namespace fp8q
