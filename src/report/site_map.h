// Shows the Sites of a model as a table. The part of a path before the first '/' is the row
// ("layer.3"), and the rest is the column ("ffn.output/input").
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "json/value.h"
#include "report/chart.h"

namespace fp8q {

// Holds the SQNR in dB by path, in the order of the Sites. It is infinite if there is no error. The
// colors end at 10 dB, where noise is a third of the signal, and at 45 dB.
using SiteDecibels = std::vector<std::pair<std::string, std::optional<double>>>;
// Returns a Site's "sqnr_db". JSON has no infinity, so a Site without error has null. Returns
// nullopt if the Site has no SQNR, because it is not quantized or its scales are found at run time.
std::optional<double> decibels_of(const json::Value& site);
SiteDecibels decibels_by_path(const json::Value& sites);
// Throws an Error (limit) if the paths form a table of more than 20,000 cells.
HeatMap decibel_map(const SiteDecibels& sites);

}  // namespace fp8q
