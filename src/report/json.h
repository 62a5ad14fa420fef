// Writes the results of the commands as JSON, schema "fp8q/<command>/1". They hold the facts that
// the tables are made from. The declarations of the results in include/fp8q/ say what the facts
// mean, and docs/commands.md explains those that are not obvious.
#pragma once

#include <string>

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

inline constexpr int kResultIndent = 2;  // spaces for each level of the texts

std::string to_json(const InspectResult& result);
std::string to_json(const CalibrateResult& result);
std::string to_json(const MergeResult& result);
std::string to_json(const ConvertResult& result);
std::string to_json(const EvaluateResult& result);
std::string to_json(const EvaluateShardResult& result);
std::string to_json(const BenchmarkResult& result);
std::string to_json(const ReportResult& result);
std::string to_json(const CompareResult& result);
std::string to_json(const SensitivityResult& result);
std::string to_json(const TuneResult& result);

}  // namespace fp8q
