// One section of the page for each kind of result. Internal to the report.
#pragma once

#include <string>
#include <vector>

#include "report/result_file.h"

namespace fp8q {

struct SectionInput {
  std::vector<const ResultFile*> files;  // all of one schema, at least one
  std::vector<std::string> sites;        // whose histograms were asked for; empty: choose
};

// HTML. Error (bad_data) naming the file and the member that a result lacks.
#define FP8Q_SECTION(schema) std::string section_##schema(const SectionInput& input);
#include "report/sections.def"
#undef FP8Q_SECTION

}  // namespace fp8q
