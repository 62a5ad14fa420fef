// Reads and writes one Site's statistics as JSON. This header is internal to the calibration's .cc
// files.
#pragma once

#include "calibrate/statistics.h"
#include "json/tree.h"
#include "json/value.h"

namespace fp8q {

json::Tree site_to_json(const SiteRecord& site);
SiteRecord site_from_json(const json::Value& field);

}  // namespace fp8q
