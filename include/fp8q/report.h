// The report is one self-contained HTML page, made from the JSON results of any commands.
#pragma once

#include "fp8q/common.h"

namespace fp8q {

struct ReportOptions {
  // The inputs are results (--json) and statistics (*.calib.json). A folder stands for every such
  // file in it.
  std::vector<fs::path> inputs;
  fs::path output = "fp8q-report.html";
  std::string title = "Quantization report";
  std::vector<std::string> sites;  // draw the histograms of these Sites; empty: the page chooses
  bool force = false;              // replace an existing file that fp8q did not write
};

struct ReportedFile {
  fs::path path;
  std::string schema;  // "eval", "statistics", ...
};

struct ReportResult {
  FileFacts report;
  std::vector<ReportedFile> files;  // in their order on the page
  std::vector<std::string> notes;
};

CallFiles files_of(const ReportOptions& options);

// Throws an Error (usage) if there are no inputs or a Site is unknown, an Error (bad_data) if a
// file is no result of fp8q, or an Error (file) if a file cannot be read or written.
ReportResult report(const ReportOptions& options);

}  // namespace fp8q
