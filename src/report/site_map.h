// The Sites of a model as a table: what stands before the first '/' of a path is the row
// ("layer.3"), the rest the column ("ffn.output/input").
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "json/value.h"
#include "report/chart.h"

namespace fp8q {

// SQNR in dB by path, in the order of the Sites; infinite: without error. The colors end at 10 dB,
// where noise is a third of the signal, and at 45 dB.
using SiteDecibels = std::vector<std::pair<std::string, std::optional<double>>>;
// A Site's "sqnr_db". JSON has no infinity: a Site without error has null. nullopt: it has none, as
// where it is not quantized, or where scales are found at run time.
std::optional<double> decibels_of(const json::Value& site);
SiteDecibels decibels_by_path(const json::Value& sites);
HeatMap decibel_map(const SiteDecibels& sites);

}  // namespace fp8q
