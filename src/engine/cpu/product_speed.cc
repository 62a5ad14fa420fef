#include "engine/cpu/product_speed.h"

#include <algorithm>
#include <random>

#include "base/stopwatch.h"

namespace fp8q::cpu {

std::vector<float> normal_floats(size_t n) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(n);
  for (float& v : x) v = normal(random);
  return x;
}

PreparedLinear random_layer(size_t in, size_t out, const std::optional<Format>& format) {
  constexpr float kScale = 0.03f;  // codes of normal values use much of a format's range
  std::vector<Site> sites;
  for (const SiteKind kind : {SiteKind::activation, SiteKind::weight}) {
    Site site;
    site.kind = kind;
    if (format) site.quantization = Quantization{*format, Tensor::scalar(kScale), {}};
    sites.push_back(std::move(site));
  }
  Linear linear;
  linear.in = static_cast<int64_t>(in);
  linear.out = static_cast<int64_t>(out);
  linear.input_site = 0;
  linear.weight_site = 1;
  linear.weight = Tensor::of<float>({linear.in, linear.out}, normal_floats(in * out));
  return PreparedLinear({&linear}, sites, ComputeType::automatic);
}

namespace {

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
  for (const auto& format : formats) layers.push_back(random_layer(shape.in, shape.out, format));
  const std::vector<float> x = normal_floats(shape.rows * shape.in);
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
