// This text is compiled into the program, so that the first calibration and evaluation need no
// download.
//
// The sources are sample/sst2.tsv (labeled sentences, in SST-2's layout) and sample/calibration.txt
// (sentences, one per line). scripts/cmake/EmbedText.cmake turns them into these variables.
#pragma once

#include <string_view>

namespace fp8q {

extern const std::string_view builtin_sst2_table;
extern const std::string_view builtin_calibration_lines;

}  // namespace fp8q
