#include "study/predict.h"

#include <cmath>

#include "engine/weights.h"

namespace fp8q {
namespace {

double gelu_erf(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }
double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}
double relu(double x) { return x > 0 ? x : 0; }
double hyperbolic_tangent(double x) { return std::tanh(x); }

double (*function_of(Activation activation))(double) {
  switch (activation) {
    case Activation::none:
      return nullptr;
    case Activation::gelu_erf:
      return gelu_erf;
    case Activation::gelu_tanh:
      return gelu_tanh;
    case Activation::relu:
      return relu;
    case Activation::tanh:
      return hyperbolic_tangent;
  }
  return nullptr;
}

Prediction after(const LayerNorm& norm) {
  Prediction p{to_floats(norm.beta), to_floats(norm.gamma)};
  for (float& d : p.deviation) d = std::fabs(d);
  return p;
}

// Returns the moments of the values. If a function is applied, they follow from the function's
// value at the mean and its rise over one deviation to both sides.
Prediction without_function(Prediction p) {
  if (!p.function) return p;
  for (size_t i = 0; i < p.mean.size(); ++i) {
    const double m = p.mean[i], d = p.deviation[i];
    p.mean[i] = static_cast<float>(p.function(m));
    p.deviation[i] = static_cast<float>(std::fabs(p.function(m + d) - p.function(m - d)) / 2);
  }
  p.function = nullptr;
  return p;
}

Prediction after(const Linear& linear, const std::vector<Site>& sites, const Prediction& before,
                 double factor = 1) {
  const PlainWeight w = plain_weight(linear, sites);
  const Prediction x = without_function(before);
  const auto out = static_cast<size_t>(linear.out);
  std::vector<double> mean(out, 0.0), variance(out, 0.0);
  for (size_t i = 0; i < x.mean.size(); ++i)
    for (size_t j = 0; j < out; ++j) {
      const double weight = static_cast<double>(w.values[i * out + j]) * w.scales[j];
      mean[j] += weight * x.mean[i];
      variance[j] += weight * weight * x.deviation[i] * x.deviation[i];
    }
  const std::vector<float> bias = linear.bias ? to_floats(*linear.bias) : std::vector<float>(out);
  Prediction p{std::vector<float>(out), std::vector<float>(out)};
  for (size_t j = 0; j < out; ++j) {
    p.mean[j] = static_cast<float>(factor * (mean[j] + bias[j]));
    p.deviation[j] = static_cast<float>(std::fabs(factor) * std::sqrt(variance[j]));
  }
  return p;
}

class Predictor {
 public:
  explicit Predictor(const Encoder& encoder) : encoder_(encoder), sites_(encoder.sites.size()) {}

  SitePredictions run() {
    Prediction x = after(encoder_.embeddings.norm);
    if (const auto& projection = encoder_.embeddings.projection) {
      put(projection->input_site, x);
      x = after(*projection, encoder_.sites, x);
    }
    for (const EncoderLayer& layer : encoder_.layers) x = run_layer(layer, x);
    for (const HeadStage& stage : encoder_.head) {
      put(stage.linear.input_site, x);
      x = after(stage.linear, encoder_.sites, x);
      x.function = function_of(stage.activation);
    }
    return std::move(sites_);
  }

 private:
  Prediction run_layer(const EncoderLayer& layer, const Prediction& x) {
    const auto& sites = encoder_.sites;
    for (const Linear* linear : {&layer.query, &layer.key, &layer.value})
      put(linear->input_site, x);
    const Attention& attention = layer.attention;
    put(attention.query_site, after(layer.query, sites, x, attention.query_scale));
    put(attention.key_site, after(layer.key, sites, x, attention.key_scale));
    const Prediction value = after(layer.value, sites, x);
    put(attention.value_site, value);
    put(layer.attention_output.input_site, value);
    const Prediction middle = after(layer.attention_norm);
    put(layer.intermediate.input_site, middle);
    Prediction inner = after(layer.intermediate, sites, middle);
    inner.function = function_of(layer.activation);
    put(layer.output.input_site, inner);
    return after(layer.output_norm);
  }

  void put(int site, const Prediction& prediction) {
    if (site >= 0) sites_[static_cast<size_t>(site)] = prediction;
  }

  const Encoder& encoder_;
  SitePredictions sites_;
};

}  // namespace

SitePredictions predict(const Encoder& encoder) { return Predictor(encoder).run(); }

}  // namespace fp8q
