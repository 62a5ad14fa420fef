// The statistics that belong to a model.
#pragma once

#include <string>

#include "calibrate/statistics.h"
#include "session/bundle.h"

namespace fp8q {

// MODEL.calib.json beside the ONNX file, where none is given.
fs::path statistics_path(const fs::path& model, const std::optional<fs::path>& given);

// Error (file): there is no such file; says how to make it.
void require_statistics(const fs::path& path, const Bundle& bundle);

// Of the bytes of the file `path`. Error (bad_data): they are another model's, or of a part of the
// text only.
Statistics statistics_from(const std::string& bytes, const fs::path& path, const Bundle& bundle);

// Both, and reading it.
Statistics statistics_for(const Bundle& bundle, const fs::path& path);

}  // namespace fp8q
