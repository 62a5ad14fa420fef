#include "tasks/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/error.h"

namespace fp8q {
namespace {

using Values = std::span<const double>;

double accuracy(Values gold, Values predicted) {
  size_t right = 0;
  for (size_t i = 0; i < gold.size(); ++i) right += gold[i] == predicted[i];
  return static_cast<double>(right) / static_cast<double>(gold.size());
}

double f1_of_class(double positive, Values gold, Values predicted) {
  size_t both = 0, either = 0;  // positives; `either` counts gold and predicted ones separately
  for (size_t i = 0; i < gold.size(); ++i) {
    both += gold[i] == positive && predicted[i] == positive;
    either += size_t{gold[i] == positive} + size_t{predicted[i] == positive};
  }
  return either > 0 ? 2 * static_cast<double>(both) / static_cast<double>(either) : 0;
}

double f1(Values gold, Values predicted) { return f1_of_class(1, gold, predicted); }

double macro_f1(Values gold, Values predicted) {
  std::set<double> classes(gold.begin(), gold.end());
  classes.insert(predicted.begin(), predicted.end());
  double sum = 0;
  for (const double c : classes) sum += f1_of_class(c, gold, predicted);
  return sum / static_cast<double>(classes.size());
}

// Computes Gorodkin's R_K (Comput. Biol. Chem. 28, 2004) for any number of classes. It is the
// correlation of the indicator vectors, which for two classes is Matthews correlation. All counts
// are integers, so only the root and the division round.
double mcc(Values gold, Values predicted) {
  const double largest = std::max(*std::max_element(gold.begin(), gold.end()),
                                  *std::max_element(predicted.begin(), predicted.end()));
  std::vector<double> truths(static_cast<size_t>(largest) + 1), guesses(truths.size());
  double right = 0;
  for (size_t i = 0; i < gold.size(); ++i) {
    ++truths[static_cast<size_t>(gold[i])];
    ++guesses[static_cast<size_t>(predicted[i])];
    right += gold[i] == predicted[i];
  }
  const auto dot = [](Values a, Values b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  };
  const double n = static_cast<double>(gold.size());
  const double denominator =
      std::sqrt((n * n - dot(truths, truths)) * (n * n - dot(guesses, guesses)));
  return denominator > 0 ? (n * right - dot(truths, guesses)) / denominator : 0;
}

double mean(Values x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

bool is_constant(Values x) {
  return std::all_of(x.begin(), x.end(), [&](double v) { return v == x[0]; });
}

double pearson(Values a, Values b) {
  // This check is exact. Rounding of the mean would leave a tiny variance although there is none.
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
#define FP8Q_METRIC(name) \
  case MetricKind::name:  \
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
    result.metrics.emplace_back(metric_name(kind), value);
    sum += value;
  }
  result.score = 100 * sum / static_cast<double>(task.metrics.size());
  return result;
}

}  // namespace fp8q
