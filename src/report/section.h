// Makes one section of the page for each kind of result. This header is internal to the report.
#pragma once

#include <string>
#include <vector>

#include "report/html.h"
#include "report/result_file.h"

namespace fp8q {

struct SectionInput {
  std::vector<const ResultFile*> files;  // at least one, all of the same schema
  std::vector<std::string> sites;        // Sites whose histograms were requested; empty: choose
};

// Throws an Error (bad_data) that names the file and the member if a result lacks a
// member.
#define FP8Q_SECTION(schema) Html section_##schema(const SectionInput& input);
#include "report/sections.def"
#undef FP8Q_SECTION

}  // namespace fp8q
