// Recognizes multi-head attention: two products of activations with a softmax between them.
//
// The splitting and merging of heads (Reshape, Transpose, in four or three dimensions) is not
// matched node by node. The chain of moves is run on a tensor of indices, and the position where
// each index arrives tells what the chain does.
#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <set>

#include "encoder/parts.h"

namespace fp8q::match {
namespace {

bool is_activation_product(const View& view, const Node& node) {
  return is_op(&node, "MatMul") && !view.is_known(node.inputs[0]) && !view.is_known(node.inputs[1]);
}

// Describes a multiplication or division by a constant: its factor and the other operand.
struct Scaling {
  double factor;
  std::string input;
};
std::optional<Scaling> find_scaling(const View& view, const Node& node) {
  if (is_op(&node, "Div")) {
    const auto divisor = view.scalar(node.inputs[1]);
    if (divisor && *divisor != 0) return Scaling{1 / *divisor, node.inputs[0]};
  }
  if (is_op(&node, "Mul"))
    for (const size_t i : {0, 1})
      if (const auto factor = view.scalar(node.inputs[i]))
        return Scaling{*factor, node.inputs[1 - i]};
  return std::nullopt;
}

// Records the way from a slot of a product back to a value, through moves, a Q/DQ pair and scalar
// factors.
struct Walk {
  std::string value;
  std::vector<Link> chain;  // in the order of execution
  std::optional<Pair> pair;
  double before = 1;  // factors between `value` and the Site
  double after = 1;   // factors between the Q/DQ pair and the product
};

template <typename Stop>
Walk walk_back(const View& view, const std::string& from, Stop stop) {
  Walk walk;
  for (walk.value = view.plain(from); !stop(walk.value); walk.value = view.plain(walk.value)) {
    const auto at = view.index().producer_index(walk.value);
    if (!at) differ("{} is used where a projection was expected", view.where(walk.value));
    const Node& node = view.node(*at);
    if (auto pair = find_pair(view, walk.value)) {
      if (walk.pair) differ("{} quantizes a second time", describe(node));
      walk.value = pair->input;
      walk.pair = std::move(pair);
      walk.after = std::exchange(walk.before, 1);
    } else if (const auto scaling = find_scaling(view, node)) {
      walk.before *= scaling->factor;
      walk.value = scaling->input;
    } else if (is_movement(node) && !node.inputs.empty()) {
      const auto output = std::ranges::find(node.outputs, walk.value) - node.outputs.begin();
      walk.chain.insert(walk.chain.begin(), {*at, static_cast<size_t>(output)});
      walk.value = node.inputs[0];
    } else {
      differ("{} is not expected in an attention", describe(node));
    }
  }
  return walk;
}

Operand operand_of(const View& view, Use use, const Walk& walk) {
  Operand operand;
  operand.use = use;
  operand.value = walk.pair ? walk.pair->input : view.node(use.node).inputs[use.input];
  operand.source = walk.value;
  if (walk.pair) operand.quantization = walk.pair->quantization;
  return operand;
}

Tensor indices(const Shape& shape) {
  Tensor tensor(DType::f32, shape);
  const auto values = tensor.mutable_data<float>();
  std::iota(values.begin(), values.end(), 0.0f);
  return tensor;
}

// Returns whether `result` is a permutation of the index tensor `from` = [b, s, h, e]: dimension i
// of the result is dimension order[i] of `from`.
bool permutes(const Tensor& result, const Shape& from, const std::array<size_t, 4>& order) {
  if (result.size() != elements(from)) return false;
  std::array<int64_t, 4> stride = {from[1] * from[2] * from[3], from[2] * from[3], from[3], 1};
  const auto values = result.data<float>();
  size_t at = 0;
  for (int64_t i = 0; i < from[order[0]]; ++i)
    for (int64_t j = 0; j < from[order[1]]; ++j)
      for (int64_t k = 0; k < from[order[2]]; ++k)
        for (int64_t l = 0; l < from[order[3]]; ++l)
          if (values[at++] != static_cast<float>(i * stride[order[0]] + j * stride[order[1]] +
                                                 k * stride[order[2]] + l * stride[order[3]]))
            return false;
  return true;
}

// Returns the latest node before `value` that satisfies `wanted`.
template <typename Wanted>
const Node* nearest(const View& view, const std::string& value, Wanted wanted) {
  constexpr size_t kNodes = 400;  // masks built by some exporters have about 60
  std::set<int64_t, std::greater<>> frontier = {view.position(value)};
  for (size_t visited = 0; visited < kNodes && !frontier.empty(); ++visited) {
    const int64_t at = *frontier.begin();
    frontier.erase(frontier.begin());
    if (at < 0) continue;
    const Node& node = view.node(static_cast<size_t>(at));
    if (wanted(node)) return &node;
    for (const auto& input : node.inputs)
      if (!input.empty() && !view.is_known(input)) frontier.insert(view.position(input));
  }
  return nullptr;
}

struct Projection {
  LinearPart linear;
  Operand operand;
  Walk walk;
};

Projection match_projection(const View& view, Use use) {
  Projection found;
  found.walk =
      walk_back(view, view.node(use.node).inputs[use.input],
                [&](const std::string& value) { return find_linear(view, value).has_value(); });
  found.linear = *find_linear(view, found.walk.value);
  found.operand = operand_of(view, use, found.walk);
  return found;
}

// Checks that the heads x head_size columns of a projection become dimensions of their own.
void check_split(const View& view, const Projection& projection, const Attention& attention,
                 const std::array<size_t, 4>& order) {
  const Probe& probe = view.probes()[0];
  const Shape split = {probe.batch, probe.sequence, attention.heads, attention.head_size};
  const Shape& shape = view.shape(projection.walk.value);
  if (elements(shape) != elements(split) ||
      !permutes(run_chain(view, projection.walk.chain, indices(shape)), split, order))
    differ("{} does not arrange the heads as attention does",
           describe(view.node(projection.operand.use.node)));
}

// Checks that the columns of the heads are side by side again.
void check_join(const View& view, const Walk& merge, const Attention& attention) {
  const Probe& probe = view.probes()[0];
  const Shape heads = {probe.batch, attention.heads, probe.sequence, attention.head_size};
  const Shape& shape = view.shape(merge.value);
  if (elements(shape) != elements(heads) ||
      !permutes(run_chain(view, merge.chain, indices(shape)), heads, {0, 2, 1, 3}))
    differ("{} does not join the heads as attention does", view.where(merge.value));
}

// Finds the softmax. Between it and the product only guards are allowed that change no probability.
std::string match_softmax(const View& view, const Operand& probabilities) {
  const Node* softmax =
      nearest(view, probabilities.source, [](const Node& node) { return is_op(&node, "Softmax"); });
  if (!softmax) differ("{} comes from no softmax", view.where(probabilities.source));
  const std::string& result = softmax->outputs[0];
  const Shape& shape = view.shape(result);
  const int64_t axis = int_attribute(*softmax, "axis", view.model().opset() < 13 ? 1 : -1);
  if (axis != -1 && axis != static_cast<int64_t>(shape.size()) - 1)
    differ("{} is not over the last axis", describe(*softmax));
  const auto piece = cone(view, 0, probabilities.source, {result}, [](const Node& node) {
    return is_elementwise(node) || is_movement(node) || is_op(&node, "IsNaN") ||
           is_op(&node, "Not");
  });
  if (!piece || !piece->open.empty())
    differ("{} mixes probabilities with other values", view.where(probabilities.source));
  Tensor x(DType::f32, shape);
  const auto values = x.mutable_data<float>();
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 251) / 251.0f;
  const Tensor y = run(view, 0, *piece, probabilities.source, {{result, x}});
  if (y.size() != x.size() || !identical(y.reshaped(x.shape()), x))
    differ("{} changes the probabilities", view.where(probabilities.source));
  return softmax->inputs[0];
}

// Finds the product of query and key before the softmax, or the Q/DQ pair after it.
Point find_scores(const View& view, const std::string& softmax_input) {
  const auto of_product = [&](const std::string& value) {
    const Node* node = view.producer(value);
    return node && is_activation_product(view, *node);
  };
  const Node* found = nearest(view, softmax_input, [&](const Node& node) {
    return is_activation_product(view, node) ||
           (is_op(&node, "DequantizeLinear") && of_product(point_at(view, node.outputs[0]).value));
  });
  if (!found) differ("{} is no product of query and key", view.where(softmax_input));
  return point_at(view, found->outputs[0]);
}

void set_sizes(AttentionPart& part, const View& view) {
  if (part.query.node == part.key.node || part.query.node == part.value.node)
    differ("{} makes query, key and value in one product, which is not known",
           describe(view.node(part.query.node)));
  const int64_t width = part.query.linear.out;
  const Shape& query = view.shape(view.node(part.query_operand.use.node).inputs[0]);
  part.attention.head_size = query.empty() ? 0 : query.back();
  if (part.attention.head_size == 0 || width % part.attention.head_size != 0 ||
      part.key.linear.out != width || part.value.linear.out != width)
    differ("query, key and value of {} have different widths", view.where(part.scores.value));
  part.attention.heads = width / part.attention.head_size;
}

}  // namespace

AttentionPart match_attention(const View& view, const Operand& context) {
  const Walk merge = walk_back(view, context.source, [&](const std::string& value) {
    const Node* node = view.producer(value);
    return node && is_activation_product(view, *node);
  });
  if (merge.before != 1 || merge.after != 1)
    differ("{} is scaled before the output product", view.where(merge.value));
  if (merge.pair && context.quantization) differ("{} is quantized twice", view.where(merge.value));
  const size_t mix = *view.index().producer_index(merge.value);

  AttentionPart part;
  part.context = context;
  if (merge.pair) {
    part.context.value = merge.pair->input;
    part.context.quantization = merge.pair->quantization;
  }
  Projection value = match_projection(view, {mix, 1});
  if (value.walk.before != 1 || value.walk.after != 1)
    differ("the value operand of {} is scaled", describe(view.node(mix)));

  part.probabilities = {
      {mix, 0}, view.node(mix).inputs[0], view.plain(view.node(mix).inputs[0]), {}};
  if (auto pair = find_pair(view, part.probabilities.source)) {
    part.probabilities.value = pair->input;
    part.probabilities.source = pair->input;
    part.probabilities.quantization = std::move(pair->quantization);
  }
  part.softmax_input = match_softmax(view, part.probabilities);

  part.scores = find_scores(view, part.softmax_input);
  const size_t scores = *view.index().producer_index(part.scores.value);
  Projection query = match_projection(view, {scores, 0});
  Projection key = match_projection(view, {scores, 1});

  part.query = query.linear, part.query_operand = query.operand;
  part.key = key.linear, part.key_operand = key.operand;
  part.value = value.linear, part.value_operand = value.operand;
  part.attention.query_scale = static_cast<float>(query.walk.before);
  part.attention.key_scale = static_cast<float>(key.walk.before);
  part.attention.scale = static_cast<float>(query.walk.after * key.walk.after);
  set_sizes(part, view);
  constexpr std::array<size_t, 4> kHeadsFirst = {0, 2, 1, 3}, kTransposed = {0, 2, 3, 1};
  check_split(view, query, part.attention, kHeadsFirst);
  check_split(view, key, part.attention, kTransposed);
  check_split(view, value, part.attention, kHeadsFirst);
  check_join(view, merge, part.attention);

  part.input = part.query.input.source;
  if (part.key.input.source != part.input || part.value.input.source != part.input)
    differ("query, key and value of {} are projections of different values",
           view.where(part.scores.value));
  return part;
}

}  // namespace fp8q::match
