// Describes rows of a matrix, and divides work on them among the threads.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/threads.h"

namespace fp8q::cpu {

struct Range {
  size_t from, to;
  size_t size() const { return to - from; }
};

// One task of row-wise work takes this many rows.
inline constexpr size_t kRowsOfTask = 32;
constexpr size_t row_tasks(size_t rows) { return (rows + kRowsOfTask - 1) / kRowsOfTask; }

// Calls body(range) for every kRowsOfTask rows, using all threads.
template <class Body>
void parallel_rows(size_t rows, const Body& body) {
  parallel_for(row_tasks(rows), [&](size_t i) {
    body(Range{i * kRowsOfTask, std::min((i + 1) * kRowsOfTask, rows)});
  });
}

}  // namespace fp8q::cpu
