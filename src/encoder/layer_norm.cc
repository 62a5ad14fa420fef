// Recognizes layer normalization, fused or decomposed in any way: the piece of graph is run and
// compared.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <set>

#include "encoder/parts.h"

namespace fp8q::match {
namespace {

bool is_norm_op(const Node& node) {
  static constexpr std::array kMore = {"ReduceMean"};
  return is_elementwise(node) ||
         std::ranges::any_of(kMore, [&](auto op) { return is_op(&node, op); });
}

// Returns the inputs of the means next to `value`, latest first. One of them is the normalized
// value.
std::vector<std::string> means_before(const View& view, const std::string& value) {
  constexpr size_t kMeans = 3, kNodes = 32;  // a decomposed norm has 2 means and about 10 nodes
  std::set<int64_t, std::greater<>> frontier = {view.position(value)};
  std::vector<std::string> found;
  for (size_t visited = 0; visited < kNodes && !frontier.empty(); ++visited) {
    const int64_t latest = *frontier.begin();
    frontier.erase(frontier.begin());
    if (latest < 0 || !is_norm_op(view.node(static_cast<size_t>(latest)))) continue;
    const Node& node = view.node(static_cast<size_t>(latest));
    if (is_op(&node, "ReduceMean")) {
      found.push_back(node.inputs[0]);
      if (found.size() == kMeans) break;
    }
    for (const auto& input : node.inputs)
      if (!input.empty() && !view.is_known(input)) frontier.insert(view.position(input));
  }
  return found;
}

// Makes rows with very different variances, so that epsilon matters in some of them.
Tensor test_rows(const Shape& shape) {
  Tensor x(DType::f32, shape);
  const auto values = x.mutable_data<float>();
  const auto width = static_cast<size_t>(shape.back());
  uint32_t state = 12345;
  for (size_t i = 0; i < values.size(); ++i) {
    state = state * 1664525u + 1013904223u;  // any generator works
    const double uniform = (state >> 8) / double{1 << 24} - 0.5;
    const double size = std::pow(10.0, 1.0 - 2.0 * static_cast<double>(i / width % 6));
    values[i] = static_cast<float>(uniform * size + 0.1 * size);
  }
  return x;
}

// Returns whether y is the layer norm of x. The tolerance is a few FP32 roundings of the sums.
bool computes(const Tensor& x, const Tensor& y, const LayerNorm& norm) {
  const auto in = x.data<float>(), out = y.data<float>();
  const auto gamma = norm.gamma.data<float>(), beta = norm.beta.data<float>();
  const size_t width = gamma.size();
  for (size_t row = 0; row < in.size(); row += width) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < width; ++i) sum += in[row + i];
    const double mean = sum / static_cast<double>(width);
    for (size_t i = 0; i < width; ++i) squares += (in[row + i] - mean) * (in[row + i] - mean);
    const double deviation = std::sqrt(squares / static_cast<double>(width) + norm.epsilon);
    for (size_t i = 0; i < width; ++i) {
      const double unit = (in[row + i] - mean) / deviation;
      const double expected = unit * gamma[i] + beta[i];
      const double bound =
          1e-4 * (std::abs(unit * gamma[i]) + std::abs(gamma[i]) + std::abs(beta[i])) + 1e-6;
      if (!(std::abs(out[row + i] - expected) <= bound)) return false;
    }
  }
  return true;
}

// Fits the decomposed form, with `input` as the normalized value.
std::optional<LayerNorm> fit(const View& view, const std::string& input,
                             const std::string& output) {
  const auto piece = cone(view, 0, output, {input}, is_norm_op);
  if (!piece || !piece->open.empty()) return std::nullopt;
  const int64_t width = view.shape(input).back();
  std::vector<Tensor> vectors;
  std::vector<float> epsilons;
  for (const auto& name : piece->known) {
    const Tensor* tensor = view.constant(name);
    if (!tensor) return std::nullopt;
    if (tensor->size() == width && tensor->dtype() == DType::f32 && tensor->rank() > 0)
      vectors.push_back(tensor->reshaped({width}));
    else if (const auto scalar = view.scalar(name); scalar && *scalar >= 0 && *scalar < 0.1)
      epsilons.push_back(static_cast<float>(*scalar));
  }
  if (vectors.size() == 1) vectors.push_back(vectors[0]);  // one constant serves as both
  if (vectors.size() != 2) return std::nullopt;
  const Tensor x = test_rows(view.shape(input));
  const Tensor y = run(view, 0, *piece, output, {{input, x}});
  if (y.shape() != x.shape()) return std::nullopt;
  for (const float epsilon : epsilons)
    for (const size_t i : {0, 1}) {
      LayerNorm norm{vectors[i], vectors[1 - i], epsilon};
      if (computes(x, y, norm)) return norm;
    }
  return std::nullopt;
}

std::optional<NormPart> fused(const View& view, const Node& node, const std::string& value) {
  const int64_t rank = static_cast<int64_t>(view.shape(value).size());
  const int64_t axis = int_attribute(node, "axis", -1);
  if (axis != -1 && axis != rank - 1) differ("{} is not over the last axis", describe(node));
  if (node.outputs[0] != value || view.is_known(node.inputs[0])) return std::nullopt;
  const int64_t width = view.shape(value).back();
  NormPart part;
  part.input = point_at(view, node.inputs[0]);
  part.norm.epsilon = float_attribute(node, "epsilon", 1e-5f);
  const Tensor* gamma = view.constant(node.inputs[1]);
  const bool has_beta = node.inputs.size() > 2 && !node.inputs[2].empty();
  const Tensor* beta = has_beta ? view.constant(node.inputs[2]) : nullptr;
  if (!gamma || gamma->size() != width || (has_beta && (!beta || beta->size() != width)))
    differ("{} has a scale or bias that is no constant of the layer's width", describe(node));
  part.norm.gamma = gamma->to(DType::f32).reshaped({width});
  part.norm.beta = beta ? beta->to(DType::f32).reshaped({width}) : Tensor(DType::f32, {width});
  return part;
}

}  // namespace

std::optional<NormPart> find_layer_norm(const View& view, const std::string& value) {
  const std::string output = view.rows(value);
  const Node* node = view.producer(output);
  if (!node || view.is_known(output) || view.shape(output).empty()) return std::nullopt;
  if (is_op(node, "LayerNormalization")) return fused(view, *node, output);
  if (!is_norm_op(*node)) return std::nullopt;
  for (const auto& input : means_before(view, output)) {
    if (view.shape(input) != view.shape(output) || view.dtype(input) != DType::f32) continue;
    if (auto norm = fit(view, input, output))
      return NormPart{std::move(*norm), point_at(view, input)};
  }
  return std::nullopt;
}

}  // namespace fp8q::match
