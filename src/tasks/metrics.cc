#include "tasks/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace fp8q {
namespace {

using Values = std::span<const double>;

// Two-class counts; class 1 is positive, everything else negative.
struct Confusion {
  double tp = 0, tn = 0, fp = 0, fn = 0;
};

Confusion count(Values gold, Values predicted) {
  Confusion c;
  for (size_t i = 0; i < gold.size(); ++i) {
    const bool truth = gold[i] == 1;
    const bool guess = predicted[i] == 1;
    ++(truth ? (guess ? c.tp : c.fn) : (guess ? c.fp : c.tn));
  }
  return c;
}

double accuracy(Values gold, Values predicted) {
  size_t right = 0;
  for (size_t i = 0; i < gold.size(); ++i) right += gold[i] == predicted[i];
  return static_cast<double>(right) / static_cast<double>(gold.size());
}

double f1(Values gold, Values predicted) {
  const Confusion c = count(gold, predicted);
  const double denominator = 2 * c.tp + c.fp + c.fn;
  return denominator > 0 ? 2 * c.tp / denominator : 0;
}

double mcc(Values gold, Values predicted) {
  const Confusion c = count(gold, predicted);
  const double denominator =
      std::sqrt((c.tp + c.fp) * (c.tp + c.fn) * (c.tn + c.fp) * (c.tn + c.fn));
  return denominator > 0 ? (c.tp * c.tn - c.fp * c.fn) / denominator : 0;
}

double mean(Values x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

bool is_constant(Values x) {
  return std::all_of(x.begin(), x.end(), [&](double v) { return v == x[0]; });
}

double pearson(Values a, Values b) {
  // Asked for exactly: rounding of the mean would leave a tiny variance where there is none.
  if (is_constant(a) || is_constant(b)) return 0;
  const double mean_a = mean(a);
  const double mean_b = mean(b);
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double da = a[i] - mean_a;
    const double db = b[i] - mean_b;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  // sqrt(aa * bb) would underflow or overflow for extreme values.
  const double denominator = std::sqrt(aa) * std::sqrt(bb);
  return denominator > 0 ? std::clamp(ab / denominator, -1.0, 1.0) : 0;
}

std::vector<double> ranks(Values x) {
  std::vector<size_t> order(x.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) { return x[i] < x[j]; });
  std::vector<double> rank(x.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && x[order[end]] == x[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i)
      rank[order[i]] = (static_cast<double>(begin) + static_cast<double>(end - 1)) / 2;
    begin = end;
  }
  return rank;
}

double spearman(Values a, Values b) { return pearson(ranks(a), ranks(b)); }

}  // namespace

double metric(MetricKind kind, Values gold, Values predicted) {
  FP8Q_ASSERT(gold.size() == predicted.size());
  if (gold.empty()) fail(ErrorCode::bad_data, "there are no examples to score");
  for (size_t i = 0; i < predicted.size(); ++i)
    if (!std::isfinite(predicted[i]))
      fail(ErrorCode::bad_data, "example {}: the prediction is {}, not a finite number", i,
           predicted[i]);
  switch (kind) {
#define FP8Q_METRIC(name, title) \
  case MetricKind::name:         \
    return name(gold, predicted);
#include "tasks/metrics.def"
#undef FP8Q_METRIC
  }
  FP8Q_ASSERT(false);
  return 0;
}

TaskScore score_task(const Task& task, Values gold, Values predicted) {
  TaskScore result;
  double sum = 0;
  for (MetricKind kind : task.metrics) {
    const double value = metric(kind, gold, predicted);
    result.metrics.emplace_back(kind, value);
    sum += value;
  }
  result.score = 100 * sum / static_cast<double>(task.metrics.size());
  return result;
}

}  // namespace fp8q
