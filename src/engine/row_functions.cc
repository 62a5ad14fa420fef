#include "engine/row_functions.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "numeric/types.h"

namespace fp8q {
namespace {

// Returns NaN if one is NaN.
double larger(double a, double b) { return a > b || std::isnan(a) ? a : b; }

// Writes the pooled rows [from, to) of one sequence.
void pool_sequence(RowFunction function, std::span<const float> rows, size_t width, float* out) {
  if (function == RowFunction::first_token) {
    std::copy_n(rows.begin(), width, out);
    return;
  }
  const bool mean = function == RowFunction::mean;
  std::vector<double> pooled(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(width));
  for (size_t at = width; at < rows.size(); at += width)
    for (size_t c = 0; c < width; ++c)
      pooled[c] = mean ? pooled[c] + rows[at + c] : larger(pooled[c], rows[at + c]);
  const double divisor = mean ? static_cast<double>(rows.size() / width) : 1.0;
  for (size_t c = 0; c < width; ++c) out[c] = static_cast<float>(pooled[c] / divisor);
}

// `to` may be where `rows` are: the result of a sequence is not behind its rows.
void pool(RowFunction function, const PackedRows& rows, float* to) {
  for (size_t s = 0; s + 1 < rows.offsets.size(); ++s) {
    const auto first = static_cast<size_t>(rows.offsets[s]);
    const auto count = static_cast<size_t>(rows.offsets[s + 1]) - first;
    pool_sequence(function, {rows.values + first * rows.width, count * rows.width}, rows.width,
                  to + s * rows.width);
  }
}

void softmax(std::span<float> row) {
  const double top = *std::ranges::max_element(row);
  double sum = 0;
  for (const float x : row) sum += std::exp(x - top);
  for (float& x : row) x = static_cast<float>(std::exp(x - top) / sum);
}

void normalize(std::span<float> row) {
  constexpr double kLeastNorm = 1e-12;
  double squares = 0;
  for (const float x : row) squares += double{x} * double{x};
  const double norm = std::max(std::sqrt(squares), kLeastNorm);
  for (float& x : row) x = static_cast<float>(x / norm);
}

void change_row(RowFunction function, std::span<float> row) {
  switch (function) {
    case RowFunction::softmax:
      return softmax(row);
    case RowFunction::sigmoid:
      for (float& x : row) x = static_cast<float>(1 / (1 + std::exp(-double{x})));
      return;
    case RowFunction::normalize:
      return normalize(row);
    case RowFunction::float16:
      for (float& x : row) x = static_cast<float>(static_cast<Float16>(x));
      return;
    case RowFunction::first_token:
    case RowFunction::mean:
    case RowFunction::max:
      break;
  }
  FP8Q_ASSERT(!"a function that pools");
}

}  // namespace

void apply_functions(std::span<const RowFunction> functions, PackedRows rows,
                     std::vector<float>& to) {
  to.resize(rows.count() * rows.width);
  if (functions.empty() || !is_pooling(functions.front()))
    std::copy_n(rows.values, to.size(), to.begin());
  else to.resize((rows.offsets.size() - 1) * rows.width);
  for (const RowFunction function : functions) {
    if (is_pooling(function)) {
      FP8Q_ASSERT(rows.per_token);
      pool(function, rows, to.data());
      rows.per_token = false;
    } else {
      for (size_t r = 0; r < rows.count(); ++r)
        change_row(function, std::span(to).subspan(r * rows.width, rows.width));
    }
    rows.values = to.data();
  }
  to.resize(rows.count() * rows.width);
}

}  // namespace fp8q
