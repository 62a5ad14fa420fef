// Makes the whole page from results.
#pragma once

#include <string>
#include <vector>

#include "report/result_file.h"

namespace fp8q {

struct PageSettings {
  std::string title;
  std::string version;             // version of fp8q, for the colophon
  std::vector<std::string> sites;  // Sites whose histograms are drawn; empty: the page chooses
};

// Returns HTML 5 that needs nothing else: the style is inside, and there are no scripts and no
// network access. Throws an Error (bad_data) that names the file if its results lack a field.
std::string report_page(const std::vector<ResultFile>& results, const PageSettings& settings);

// Returns whether the bytes begin like such a page.
bool is_report_page(std::string_view bytes);

}  // namespace fp8q
