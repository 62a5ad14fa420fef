// Finds the statistics that belong to a model.
#pragma once

#include <string>

#include "calibrate/statistics.h"
#include "session/bundle.h"

namespace fp8q {

// Returns `given`, or else MODEL.calib.json beside the ONNX file.
fs::path statistics_path(const fs::path& model, const std::optional<fs::path>& given);

// Throws an Error (file) that says how to make the file if it does not exist.
void require_statistics(const fs::path& path, const Bundle& bundle);

// Returns the statistics in the bytes of the file `path`. Throws an Error (bad_data) if they belong
// to another model, or cover only a part of the text.
Statistics statistics_from(const std::string& bytes, const fs::path& path, const Bundle& bundle);

// Reads the file and does both checks.
Statistics statistics_for(const Bundle& bundle, const fs::path& path);

}  // namespace fp8q
