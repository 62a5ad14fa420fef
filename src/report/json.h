// The results of the commands as JSON, schema "fp8q/<command>/1". README.md documents the fields.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>

#include "fp8q/benchmark.h"
#include "fp8q/calibrate.h"
#include "fp8q/compare.h"
#include "fp8q/convert.h"
#include "fp8q/evaluate.h"
#include "fp8q/inspect.h"
#include "fp8q/merge.h"
#include "fp8q/report.h"
#include "fp8q/sensitivity.h"
#include "fp8q/tune.h"

namespace fp8q {

nlohmann::ordered_json to_json(const InspectResult& result);
nlohmann::ordered_json to_json(const CalibrateResult& result);
nlohmann::ordered_json to_json(const MergeResult& result);
nlohmann::ordered_json to_json(const ConvertResult& result);
nlohmann::ordered_json to_json(const EvaluateResult& result);
nlohmann::ordered_json to_json(const EvaluateShardResult& result);
nlohmann::ordered_json to_json(const BenchmarkResult& result);
nlohmann::ordered_json to_json(const ReportResult& result);
nlohmann::ordered_json to_json(const CompareResult& result);
nlohmann::ordered_json to_json(const SensitivityResult& result);
nlohmann::ordered_json to_json(const TuneResult& result);

}  // namespace fp8q
