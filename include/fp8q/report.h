// The report: one self-contained HTML page, made from the JSON results of any commands.
#pragma once

#include "fp8q/common.h"

namespace fp8q {

struct ReportOptions {
  // Results (--json) and statistics (*.calib.json). A folder stands for every such file in it.
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

// Errors: usage (no inputs, an unknown Site), bad_data (a file that is no result of fp8q), file.
ReportResult report(const ReportOptions& options);

}  // namespace fp8q
