// The whole page from results.
#pragma once

#include <string>
#include <vector>

#include "report/result_file.h"

namespace fp8q {

struct PageSettings {
  std::string title;
  std::string version;             // of fp8q, for the colophon
  std::vector<std::string> sites;  // whose histograms are drawn; empty: the page chooses
};

// HTML 5 that needs nothing else: style inside, no scripts, no network. Error (bad_data) naming the
// file whose results lack a field.
std::string report_page(const std::vector<ResultFile>& results, const PageSettings& settings);

// Whether the bytes begin as such a page does.
bool is_report_page(std::string_view bytes);

}  // namespace fp8q
