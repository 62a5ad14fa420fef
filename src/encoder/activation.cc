// Recognizes activation functions, fused or decomposed in any way: the piece of graph is run and
// compared.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <set>

#include "encoder/parts.h"

namespace fp8q::match {
namespace {

struct Candidate {
  Activation activation;
  double (*function)(double);
};

constexpr std::array kCandidates = {
    Candidate{Activation::gelu_erf,
              [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }},
    // The formula is from Hendrycks and Gimpel, arXiv 1606.08415, section 2.
    Candidate{Activation::gelu_tanh,
              [](double x) {
                const double root = std::sqrt(2 / M_PI);
                return 0.5 * x * (1 + std::tanh(root * (x + 0.044715 * x * x * x)));
              }},
    Candidate{Activation::relu, [](double x) { return x > 0 ? x : 0.0; }},
    Candidate{Activation::tanh, [](double x) { return std::tanh(x); }},
};

// Test points lie densely from -6 to 6, where the candidates bend. They also lie far outside, where
// the candidates are flat or the identity but a function with a bound (ReLU6, a clipped GELU) is
// not. Pointwise functions take any shape, so the number of points does not depend on the layer's
// width.
Tensor test_points(size_t rank) {
  constexpr size_t kNear = 1000;
  constexpr std::array kFar = {6.5f, 10.0f, 30.0f, 100.0f, 1e4f};
  Shape shape(rank, 1);
  shape.back() = kNear + 2 * kFar.size();
  Tensor x(DType::f32, shape);
  const auto values = x.mutable_data<float>();
  for (size_t i = 0; i < kNear; ++i)
    values[i] = static_cast<float>(-6 + 12.0 / kNear * (static_cast<double>(i) + 0.37));
  for (size_t i = 0; i < kFar.size(); ++i) {
    values[kNear + 2 * i] = kFar[i];
    values[kNear + 2 * i + 1] = -kFar[i];
  }
  return x;
}

// Returns the largest error of y as a function of x, relative to results above 1.
double error_of(const Candidate& candidate, const Tensor& x, const Tensor& y) {
  const auto in = x.data<float>(), out = y.data<float>();
  double largest = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    const double expected = candidate.function(in[i]);
    const double error = std::abs(expected - out[i]) / std::max(1.0, std::abs(expected));
    if (!(error <= largest)) largest = std::isnan(error) ? INFINITY : error;
  }
  return largest;
}

std::optional<Activation> identify(const Tensor& x, const Tensor& y, double tolerance) {
  if (x.shape() != y.shape() || y.dtype() != DType::f32) return std::nullopt;
  std::optional<Activation> best;
  for (const auto& candidate : kCandidates) {
    const double error = error_of(candidate, x, y);
    if (!(error <= tolerance)) continue;
    tolerance = error;
    best = candidate.activation;
  }
  return best;
}

// Returns whether a node reads activations, and otherwise only constants with one element. This
// excludes the Add of a bias.
bool is_pointwise(const View& view, const Node& node) {
  if (!is_elementwise(node)) return false;
  for (const auto& input : node.inputs)
    if (!input.empty() && view.is_known(input) && !view.scalar(input)) return false;
  return true;
}

// Returns the only value made by a linear layer on which `value` depends through pointwise nodes.
std::optional<std::string> argument_of(const View& view, const std::string& value) {
  constexpr size_t kNodes = 24;  // the tanh form has about 10
  std::set<std::pair<int64_t, std::string>, std::greater<>> frontier = {
      {view.position(value), value}};
  for (size_t visited = 0; visited < kNodes && !frontier.empty(); ++visited) {
    const auto [at, latest] = *frontier.begin();
    if (frontier.size() == 1 && find_rounded_linear(view, latest)) return latest;
    if (at < 0 || !is_pointwise(view, view.node(static_cast<size_t>(at)))) return std::nullopt;
    frontier.erase(frontier.begin());
    for (const auto& input : view.node(static_cast<size_t>(at)).inputs)
      if (!input.empty() && !view.is_known(input)) frontier.insert({view.position(input), input});
  }
  return std::nullopt;
}

}  // namespace

std::optional<ActivationPart> find_activation(const View& view, const std::string& value) {
  const std::string output = view.rows(value);
  const auto argument = argument_of(view, output);
  if (!argument) return std::nullopt;
  ActivationPart part;
  part.linear = *find_rounded_linear(view, *argument);
  if (*argument == output) return part;
  const auto piece = cone(view, 0, output, {*argument},
                          [&](const Node& node) { return is_pointwise(view, node); });
  if (!piece || !piece->open.empty()) return std::nullopt;
  // FP32 evaluation of GELU has an error of about 1e-6, and the two GELUs differ by up to 5e-4.
  // Square roots that were rounded to bfloat16 change it by up to 4e-4, and leave the right one
  // nearest.
  const double tolerance = view.is_widened() ? 8e-4 : 1e-5;
  const Tensor x = test_points(view.shape(*argument).size());
  const auto activation = identify(x, run(view, 0, *piece, output, {{*argument, x}}), tolerance);
  if (!activation)
    differ("{} is no GELU, ReLU or tanh of {}", view.where(output), view.where(*argument));
  part.activation = *activation;
  return part;
}

}  // namespace fp8q::match
