// Measures matrix products alone beside the roof of the unit that forms them.
//
//   bench_products [SECONDS [THREADS]]
//
// Each row is a linear layer of a BERT and a number of tokens. Roof and products take turns, since
// the clock of a core and what else its machine does change with time. A row shows the median of
// the turns' ratios and the best rate. SECONDS is what a row takes (default: 0.5), THREADS
// how many share each product (default: 1).
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <vector>

#include "base/stopwatch.h"
#include "base/threads.h"
#include "engine/cpu/product_speed.h"

namespace fp8q::cpu {
namespace {

struct Shape {
  size_t in, out;
};
constexpr Shape kShapes[] = {{384, 1152}, {384, 1536}, {1536, 384}, {768, 3072}, {3072, 768}};
constexpr size_t kRows[] = {8, 32, 128, 512};

// Returns operations per second over at least `seconds`.
double rate(double seconds, const std::function<double()>& run) {
  double operations = 0;
  const Stopwatch watch;
  do operations += run();
  while (watch.seconds() < seconds);
  return operations / watch.seconds();
}

void measure(const std::string& name, const PreparedLinear& linear, size_t rows, double seconds) {
  const std::vector<float> x = normal_floats(rows * linear.in());
  std::vector<float> y(rows * linear.out());
  Operand operand;
  if (!linear.form().is_x()) linear.form().write_all(x.data(), linear.in(), rows, operand);
  const auto product = [&] {
    linear.run({x.data(), linear.in(), rows, Function::none, y.data(), linear.out()}, operand);
    return 2.0 * static_cast<double>(rows * linear.in() * linear.out());
  };
  constexpr int kTurns = 15;
  constexpr double kRoofSeconds = 0.004;
  product();
  std::vector<double> shares;
  double best = 0;
  for (int i = 0; i < kTurns; ++i) {
    const auto roof = [&] {
      std::vector<double> done(static_cast<size_t>(threads()));
      parallel_for(done.size(), [&](size_t t) { done[t] = run_unit(linear.unit(), 20000); });
      return std::accumulate(done.begin(), done.end(), 0.0);
    };
    const double before = rate(kRoofSeconds, roof);
    const double own = rate(seconds / kTurns, product);
    const double after = rate(kRoofSeconds, roof);
    shares.push_back(own / std::max(before, after));
    best = std::max(best, own);
  }
  std::nth_element(shares.begin(), shares.begin() + kTurns / 2, shares.end());
  fmt::print("{:40} {:5} x {:4}  {:4} rows {:8.1f} Gop/s {:6.1f} % of {}\n", name, linear.in(),
             linear.out(), rows, 1e-9 * best, 100 * shares[kTurns / 2], cpu::name(linear.unit()));
}

void run(double seconds, int threads) {
  set_threads(threads);
  for (const std::optional<Format> format :
       {std::optional<Format>(), std::optional(Format::e4m3), std::optional(Format::int8)})
    for (const Shape& shape : kShapes) {
      const PreparedLinear linear = random_layer(shape.in, shape.out, format);
      for (const size_t rows : kRows) measure(linear.effective(), linear, rows, seconds);
    }
}

}  // namespace
}  // namespace fp8q::cpu

int main(int argc, char** argv) {
  fp8q::cpu::run(argc > 1 ? std::atof(argv[1]) : 0.5, argc > 2 ? std::atoi(argv[2]) : 1);
}
