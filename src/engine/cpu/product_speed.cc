#include "engine/cpu/product_speed.h"

#include <algorithm>
#include <random>

#include "base/stopwatch.h"
#include "engine/cpu/prepared_linear.h"

namespace fp8q::cpu {
namespace {

std::vector<float> normal_floats(size_t n, float spread) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> x(n);
  for (float& v : x) v = normal(random);
  return x;
}

// Values have this spread. Codes of it use much of a format's range.
constexpr float kSpread = 1.0f, kScale = 0.03f;

PreparedLinear random_layer(const ProductShape& shape, const std::optional<Format>& format) {
  std::vector<Site> sites;
  for (const SiteKind kind : {SiteKind::activation, SiteKind::weight}) {
    Site site;
    site.kind = kind;
    if (format) site.quantization = Quantization{*format, Tensor::scalar(kScale), {}};
    sites.push_back(std::move(site));
  }
  Linear linear;
  linear.in = static_cast<int64_t>(shape.in);
  linear.out = static_cast<int64_t>(shape.out);
  linear.input_site = 0;
  linear.weight_site = 1;
  linear.weight =
      Tensor::of<float>({linear.in, linear.out}, normal_floats(shape.in * shape.out, kSpread));
  return PreparedLinear({&linear}, sites, ComputeType::automatic);
}

double seconds_of(const PreparedLinear& linear, const std::vector<float>& x, size_t rows,
                  Operand& operand, std::vector<float>& y) {
  const Stopwatch watch;
  if (!linear.form().is_x()) linear.form().write_all(x.data(), linear.in(), rows, operand);
  linear.run({x.data(), linear.in(), rows, Function::none, y.data(), linear.out()}, operand);
  return watch.seconds();
}

}  // namespace

std::vector<ProductSpeed> measure_product_speeds(const ProductShape& shape) {
  constexpr int kTurns = 10;
  std::vector<std::optional<Format>> formats = {std::nullopt};
  formats.insert(formats.end(), std::begin(kEveryFormat), std::end(kEveryFormat));
  std::vector<PreparedLinear> layers;
  for (const auto& format : formats) layers.push_back(random_layer(shape, format));
  const std::vector<float> x = normal_floats(shape.rows * shape.in, kSpread);
  std::vector<float> y(shape.rows * shape.out);
  std::vector<double> best(formats.size(), 1e9);
  Operand operand;
  for (int turn = 0; turn <= kTurns; ++turn)
    for (size_t i = 0; i < formats.size(); ++i) {
      const double seconds = seconds_of(layers[i], x, shape.rows, operand, y);
      if (turn > 0) best[i] = std::min(best[i], seconds);  // the first warms the caches
    }
  const double operations = 2.0 * static_cast<double>(shape.rows * shape.in * shape.out);
  std::vector<ProductSpeed> speeds;
  for (size_t i = 0; i < formats.size(); ++i) speeds.push_back({formats[i], operations / best[i]});
  return speeds;
}

}  // namespace fp8q::cpu
