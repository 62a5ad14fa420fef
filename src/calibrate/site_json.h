// One Site's statistics as JSON. Internal to the calibration's .cc files.
#pragma once

#include <nlohmann/json.hpp>

#include "calibrate/json_fields.h"
#include "calibrate/statistics.h"

namespace fp8q {

nlohmann::json site_to_json(const SiteRecord& site);
SiteRecord site_from_json(const Field& field);

}  // namespace fp8q
