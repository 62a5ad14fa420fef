// Finds, plans and rewrites embedding tables.
//
// Half precision keeps 11 bits of each value, and a Cast after the Gather widens every lookup.
// Quantized rows are INT8 in every recipe. Gather has no FP8 type in ONNX (through opset 25;
// onnxruntime refuses such models), and rows with their own scales are more accurate in INT8 than
// in FP8.
#pragma once

#include <vector>

#include "quantize/insertions.h"
#include "quantize/plan.h"

namespace fp8q {

inline constexpr Format kTableFormat = Format::int8;

// Finds the constant float matrices of at least two rows that are read only by Gathers along axis
// 0.
std::vector<TablePlan> plan_tables(const GraphIndex& index, bool quantize_rows);

void rewrite_table(const GraphIndex& index, const TablePlan& plan, Insertions& insertions);

}  // namespace fp8q
