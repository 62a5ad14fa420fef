// Recognizes what a head does to rows between its linear layers: pooling, softmax, normalization, a
// selection. The piece of graph is run and compared, so that it does not matter how it was written.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "encoder/parts.h"
#include "numeric/types.h"

namespace fp8q::match {
namespace {

// Holds rows as a piece read them, and what it made of them.
struct Response {
  std::vector<float> x, y;
  size_t width;            // of a row of x
  size_t batch, sequence;  // numbers of sequences, and of tokens of each
  bool of_tokens() const { return x.size() == batch * sequence * width; }
};

using Row = std::span<const float>;

bool near(double actual, double expected) {
  return std::abs(actual - expected) <= 1e-5 * std::max(1.0, std::abs(expected));
}

bool is_softmax(Row x, Row y) {
  const double top = *std::ranges::max_element(x);
  double sum = 0;
  for (const float v : x) sum += std::exp(v - top);
  return std::ranges::equal(x, y,
                            [&](float a, float b) { return near(b, std::exp(a - top) / sum); });
}

bool is_sigmoid(Row x, Row y) {
  return std::ranges::equal(x, y, [](float a, float b) { return near(b, 1 / (1 + std::exp(-a))); });
}

bool is_normalized(Row x, Row y) {
  const double norm = std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
  return std::ranges::equal(x, y, [&](float a, float b) { return near(b, a / norm); });
}

bool is_rounded(Row x, Row y) {
  return std::ranges::equal(
      x, y, [](float a, float b) { return static_cast<float>(static_cast<Float16>(a)) == b; });
}

// Returns whether `function` made each row of y from the same row of x.
bool row_by_row(const Response& r, bool (*function)(Row x, Row y)) {
  if (r.x.size() != r.y.size()) return false;
  for (size_t at = 0; at < r.x.size(); at += r.width)
    if (!function(Row(r.x).subspan(at, r.width), Row(r.y).subspan(at, r.width))) return false;
  return true;
}

// Returns whether each element of y is `pooled` of the same column of all tokens of a sequence.
template <typename Pooled>
bool sequence_by_sequence(const Response& r, Pooled pooled) {
  if (!r.of_tokens() || r.y.size() != r.batch * r.width) return false;
  std::vector<float> column(r.sequence);
  for (size_t s = 0; s < r.batch; ++s)
    for (size_t c = 0; c < r.width; ++c) {
      for (size_t t = 0; t < r.sequence; ++t) column[t] = r.x[(s * r.sequence + t) * r.width + c];
      if (!near(r.y[s * r.width + c], pooled(column))) return false;
    }
  return true;
}

bool computes(RowFunction function, const Response& r) {
  switch (function) {
    case RowFunction::first_token:
      return sequence_by_sequence(r, [](Row column) { return column.front(); });
    case RowFunction::mean:
      return sequence_by_sequence(r, [](Row column) {
        return std::accumulate(column.begin(), column.end(), 0.0) /
               static_cast<double>(column.size());
      });
    case RowFunction::max:
      return sequence_by_sequence(r, [](Row column) { return *std::ranges::max_element(column); });
    case RowFunction::softmax:
      return row_by_row(r, is_softmax);
    case RowFunction::sigmoid:
      return row_by_row(r, is_sigmoid);
    case RowFunction::normalize:
      return row_by_row(r, is_normalized);
    case RowFunction::float16:
      return row_by_row(r, is_rounded);
  }
  return false;
}

// Returns the column of x that y consists of.
std::optional<int> column_of(const Response& r) {
  const size_t rows = r.x.size() / r.width;
  if (r.y.size() != rows || r.y.empty()) return std::nullopt;
  const auto column = static_cast<size_t>(std::ranges::find(r.x, r.y[0]) - r.x.begin());
  if (column >= r.width) return std::nullopt;
  for (size_t i = 0; i < rows; ++i)
    if (r.y[i] != r.x[i * r.width + column]) return std::nullopt;
  return static_cast<int>(column);
}

// Makes values that differ from each other.
Tensor test_values(const Shape& shape) {
  Tensor x(DType::f32, shape);
  const auto values = x.mutable_data<float>();
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = 3.0f * (static_cast<float>(i * 7919 % 100003) / 50001.5f - 1.0f);
  return x;
}

std::vector<float> floats_of(const Tensor& tensor) {
  const Tensor f32 = tensor.to(DType::f32);
  return {f32.data<float>().begin(), f32.data<float>().end()};
}

// Returns what the piece from `input` to `output` does. Adds the graph inputs that it reads, which
// are ones here, to `masks`.
Response respond(const View& view, size_t probe, const std::string& input,
                 const std::string& output, std::set<std::string>& masks) {
  const Probe& at = view.probes()[probe];
  const Tensor x = test_values(at.values.at(input).shape);
  const auto piece = cone(view, probe, output, {input}, [](const Node&) { return true; });
  masks.insert(piece->open.begin(), piece->open.end());
  Tensors given = model_inputs(view, probe, {}, {.usual = 1, .special = {}});
  given.insert_or_assign(input, x);
  const Tensor y = run(view, probe, *piece, output, given);
  return {floats_of(x), floats_of(y), static_cast<size_t>(x.shape().back()),
          static_cast<size_t>(at.batch), static_cast<size_t>(at.sequence)};
}

// Finds what is done to the rows of `input`. At all shapes it must be the same.
std::optional<RowStep> identify(const View& view, const std::string& input,
                                const std::string& output) {
  if (view.dtype(input) != DType::f32 || elements(view.shape(input)) == 0 ||
      view.shape(input).empty())
    return std::nullopt;
  RowStep step{.input = input, .function = {}, .column = {}, .masks = {}};
  std::vector<Response> responses;
  for (size_t probe = 0; probe < view.probes().size(); ++probe)
    responses.push_back(respond(view, probe, input, output, step.masks));
  const auto always = [&](auto condition) { return std::ranges::all_of(responses, condition); };
  if (always([](const Response& r) { return r.x == r.y; })) return step;
  for (const auto function :
       {RowFunction::first_token, RowFunction::mean, RowFunction::max, RowFunction::softmax,
        RowFunction::sigmoid, RowFunction::normalize, RowFunction::float16})
    if (always([&](const Response& r) { return computes(function, r); })) {
      step.function = function;
      return step;
    }
  step.column = column_of(responses.front());
  if (step.column && always([&](const Response& r) { return column_of(r) == step.column; }))
    return step;
  return std::nullopt;
}

// Is true for nodes that can be no part of such a piece: they end the walk.
bool is_layer_op(const Node& node) {
  return is_op(&node, "MatMul") || is_op(&node, "Gemm") || is_op(&node, "LayerNormalization") ||
         is_op(&node, "QuantizeLinear") || is_op(&node, "DequantizeLinear");
}

}  // namespace

DeepValues::DeepValues(const View& view) {
  for (const Node& node : view.model().graph.nodes) {
    const bool deep = is_layer_op(node) || std::ranges::any_of(node.inputs, [&](const auto& input) {
                        return values_.contains(input);
                      });
    if (!deep) continue;
    for (const auto& output : node.outputs)
      if (!view.is_known(output)) values_.insert(output);
  }
}

std::optional<RowStep> find_row_step(const View& view, const DeepValues& deep,
                                     const std::string& value) {
  constexpr size_t kNodes = 40;  // masked pooling with a normalization has about 20
  std::set<std::pair<int64_t, std::string>, std::greater<>> frontier = {
      {view.position(value), value}};
  for (size_t visited = 0; visited < kNodes && !frontier.empty(); ++visited) {
    const auto [at, latest] = *frontier.begin();
    if (frontier.size() == 1 && latest != value) {
      if (auto step = identify(view, latest, value)) return step;
      if (find_rounded_linear(view, latest)) return std::nullopt;
    }
    if (at < 0 || is_layer_op(view.node(static_cast<size_t>(at)))) return std::nullopt;
    frontier.erase(frontier.begin());
    for (const auto& input : view.node(static_cast<size_t>(at)).inputs)
      if (deep.contains(input)) frontier.insert({view.position(input), input});
  }
  return std::nullopt;
}

}  // namespace fp8q::match
