// Attention (since 23; nonpad_kv_seqlen from 24) computes, for every head,
//
//   softmax(mask + softcap((q sqrt(scale)) (k sqrt(scale))^T)) v
//
// where `scale` is 1 / sqrt(head size) unless it is given, and softcap(x) = c tanh(x / c) if the
// attribute c is not 0. Heads are a dimension of their own, [batch, heads, sequence, head size], or
// lie side by side, [batch, sequence, heads x head size]. Neighboring query heads share a head of
// keys and values if there are fewer of these. Keys and values of the past come before the new
// ones. A row whose keys are all masked is NaN, as in the graph that the standard writes out for
// the operator. All is computed in double and each output is rounded once.
#include <limits>

#include "interpreter/ops/elementwise.h"

namespace fp8q {
namespace {

enum Input : size_t { kQuery, kKey, kValue, kMask, kPastKey, kPastValue, kValidKeys };

// Says how a tensor holds heads: its sizes, and the distances between their elements.
struct Heads {
  int64_t batch = 0, heads = 0, rows = 0, width = 0;
  bool side_by_side = false;

  int64_t row_step() const { return side_by_side ? heads * width : width; }
  int64_t start(int64_t b, int64_t h) const {
    return b * heads * rows * width + h * (side_by_side ? width : rows * width);
  }
  Shape shape() const {
    return side_by_side ? Shape{batch, rows, heads * width} : Shape{batch, heads, rows, width};
  }
};

Heads heads_of(const OpContext& context, size_t i, const char* count) {
  const Shape& shape = context.input(i).shape;
  if (shape.size() == 4) return {shape[0], shape[1], shape[2], shape[3], false};
  if (shape.size() != 3)
    context.reject("input {} has the shape {}, not 3 or 4 dimensions", i, to_string(shape));
  const int64_t heads = context.int_attribute(count, 0);
  if (heads <= 0 || shape[2] % heads != 0)
    context.reject("{} is {}, which does not divide the last dimension of {}", count, heads,
                   to_string(shape));
  return {shape[0], heads, shape[1], shape[2] / heads, true};
}

struct AttentionPlan {
  Heads query, key, value, result;
  int64_t past = 0;
  int64_t keys = 0;  // with those of the past

  Heads all_keys() const { return {key.batch, key.heads, keys, key.width, false}; }
  Heads all_values() const { return {value.batch, value.heads, keys, value.width, false}; }
  Shape scores() const { return {query.batch, query.heads, query.rows, keys}; }
};

int64_t past_rows(const OpContext& context, const AttentionPlan& plan) {
  if (context.has(kPastKey) != context.has(kPastValue))
    context.reject("has past keys or past values without the other");
  if (!context.has(kPastKey)) return 0;
  const Shape &key = context.input(kPastKey).shape, &value = context.input(kPastValue).shape;
  const int64_t rows = key.size() == 4 ? key[2] : -1;
  if (key != Shape{plan.key.batch, plan.key.heads, rows, plan.key.width} ||
      value != Shape{plan.key.batch, plan.key.heads, rows, plan.value.width})
    context.reject("past keys {} and values {} do not continue the new ones", to_string(key),
                   to_string(value));
  return rows;
}

// The last dimension of a mask may be shorter than the keys; the others broadcast.
void check_masks(const OpContext& context, const AttentionPlan& plan) {
  if (context.has(kMask)) {
    const Operand& mask = context.input(kMask);
    if (mask.dtype != DType::boolean) require_float(context, mask.dtype);
    Shape scores = plan.scores();
    if (!mask.shape.empty() && mask.shape.back() < plan.keys) scores.back() = mask.shape.back();
    if (mask.shape.empty() || broadcast(mask.shape, scores) != scores)
      context.reject("a mask of shape {} does not fit scores of shape {}", to_string(mask.shape),
                     to_string(plan.scores()));
  }
  if (context.has(kValidKeys) && (context.input(kValidKeys).dtype != DType::i64 ||
                                  context.input(kValidKeys).shape != Shape{plan.query.batch}))
    context.reject("nonpad_kv_seqlen is no vector of {} int64", plan.query.batch);
}

void check_attributes(const OpContext& context) {
  const int64_t mode = context.int_attribute("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) context.reject("qk_matmul_output_mode is {}", mode);
  const int64_t type = context.int_attribute("softmax_precision", 1);
  const auto dtype =
      type < 0 || type > 1000 ? std::nullopt : dtype_of_onnx_code(static_cast<int>(type));
  if (!dtype) context.reject("softmax_precision is {}, which is no element type", type);
  require_float(context, *dtype);
}

AttentionPlan plan_attention(const OpContext& context) {
  AttentionPlan plan{heads_of(context, kQuery, "q_num_heads"),
                     heads_of(context, kKey, "kv_num_heads"),
                     heads_of(context, kValue, "kv_num_heads"),
                     {}};
  const auto& [query, key, value, result, past, keys] = plan;
  if (query.side_by_side != key.side_by_side || key.side_by_side != value.side_by_side ||
      query.batch != key.batch || key.batch != value.batch || query.width != key.width ||
      key.rows != value.rows || key.heads != value.heads || key.heads == 0 ||
      query.heads % key.heads != 0)
    context.reject("query {}, key {} and value {} do not fit", to_string(query.shape()),
                   to_string(key.shape()), to_string(value.shape()));
  if (query.width == 0) context.reject("has heads of size 0");
  plan.past = past_rows(context, plan);
  plan.keys = plan.past + key.rows;
  plan.result = {query.batch, query.heads, query.rows, value.width, query.side_by_side};
  return plan;
}

// Returns the rows of the past and the new ones as [batch, heads, rows, width], in double.
Tensor joined(const OpContext& context, size_t past, size_t added, const Heads& from,
              const Heads& to) {
  Tensor all(DType::f64, to.shape());
  if (elements(to.shape()) == 0) return all;
  const Tensor before =
      context.has(past) ? context.tensor(past).to(DType::f64) : Tensor(DType::f64, {0});
  const Tensor after = context.tensor(added).to(DType::f64);
  const double* old = before.data<double>().data();
  const double* fresh = after.data<double>().data();
  double* out = all.mutable_data<double>().data();
  const int64_t kept = (to.rows - from.rows) * to.width;
  for (int64_t b = 0; b < to.batch; ++b)
    for (int64_t h = 0; h < to.heads; ++h) {
      out = std::copy_n(old, kept, out);
      old += kept;
      for (int64_t r = 0; r < from.rows; ++r)
        out = std::copy_n(fresh + from.start(b, h) + r * from.row_step(), from.width, out);
    }
  return all;
}

// Knows what is added to the scores: 0, -inf, or a float mask.
class Bias {
 public:
  Bias(const OpContext& context, const AttentionPlan& plan)
      : causal_(context.int_attribute("is_causal", 0) != 0), past_(plan.past) {
    if (context.has(kMask)) {
      const Tensor& mask = context.tensor(kMask);
      Shape seen = plan.scores();
      seen.back() = std::min(seen.back(), mask.shape().back());
      masked_ = seen.back();
      keeps_ = mask.dtype() == DType::boolean;
      mask_ = mask.to(DType::f64);
      strides_ = broadcast_strides(mask.shape(), seen);
    }
    if (context.has(kValidKeys)) valid_ = context.ints(kValidKeys);
  }

  // Fills the row of a query.
  void fill(int64_t b, int64_t h, int64_t q, std::span<double> row) const {
    constexpr double kNever = -std::numeric_limits<double>::infinity();
    std::ranges::fill(row, 0.0);
    if (!strides_.empty()) {
      std::ranges::fill(row, kNever);
      const double* x =
          mask_.data<double>().data() + b * strides_[0] + h * strides_[1] + q * strides_[2];
      for (int64_t k = 0; k < masked_; ++k, x += strides_[3])
        row[static_cast<size_t>(k)] = !keeps_ ? *x : *x != 0 ? 0 : kNever;
    }
    const auto end = static_cast<int64_t>(row.size());
    int64_t first = causal_ ? q + past_ + 1 : end;  // the first key that is too late
    if (!valid_.empty()) first = std::min(first, valid_[static_cast<size_t>(b)]);
    for (int64_t k = std::max<int64_t>(first, 0); k < end; ++k)
      row[static_cast<size_t>(k)] = kNever;
  }

 private:
  bool causal_;
  int64_t past_;
  Tensor mask_;
  Strides strides_;             // of the mask, by batch, head, query and key; empty without a mask
  int64_t masked_ = 0;          // the number of keys that the mask knows
  bool keeps_ = false;          // the mask says which keys to keep, not what to add
  std::vector<int64_t> valid_;  // the number of keys in each sequence; empty: all
};

void softmax(std::span<double> row) {
  double largest = -std::numeric_limits<double>::infinity();
  for (const double x : row) largest = maximum(largest, x);
  double sum = 0;
  for (double& x : row) sum += x = std::exp(x - largest);
  for (double& x : row) x /= sum;
}

// Holds what turns one query into its row of probabilities.
struct Rows {
  double scale;  // of the product
  double cap;
  int64_t reported;  // the step whose result is the output qk_matmul_output
  int64_t width;

  // Turns `row`, which holds what is added to the scores, into probabilities. Copies the row of the
  // reported step to `report` unless that is nullptr.
  void operator()(const double* query, const double* keys, std::span<double> row,
                  double* report) const {
    const auto show = [&](int64_t step, double value, size_t j) {
      if (report && step == reported) report[j] = value;
    };
    for (size_t j = 0; j < row.size(); ++j) {
      double score = 0;
      for (int64_t d = 0; d < width; ++d)
        score += query[d] * keys[static_cast<int64_t>(j) * width + d];
      score *= scale;
      show(0, score, j);
      if (cap != 0) score = cap * std::tanh(score / cap);
      show(1, score, j);
      row[j] += score;
      show(2, row[j], j);
    }
    softmax(row);
    for (size_t j = 0; j < row.size(); ++j) show(3, row[j], j);
  }
};

Rows rows_of(const OpContext& context, const AttentionPlan& plan) {
  const auto given = static_cast<double>(context.float_attribute("scale", 0.0f));
  const bool has_scale = find_attribute(context.node(), "scale") != nullptr;
  const double root =
      std::sqrt(has_scale ? given : 1 / std::sqrt(static_cast<double>(plan.query.width)));
  return {root * root, static_cast<double>(context.float_attribute("softcap", 0.0f)),
          context.int_attribute("qk_matmul_output_mode", 0), plan.query.width};
}

}  // namespace

Types infer_attention(const OpContext& context) {
  for (const size_t i : {kQuery, kKey, kValue}) require_float(context, context.input(i).dtype);
  const AttentionPlan plan = plan_attention(context);
  check_masks(context, plan);
  check_attributes(context);
  const DType dtype = context.input(kQuery).dtype;
  Types types = {{dtype, plan.result.shape(), std::nullopt},
                 {context.input(kKey).dtype, plan.all_keys().shape(), std::nullopt},
                 {context.input(kValue).dtype, plan.all_values().shape(), std::nullopt},
                 {dtype, plan.scores(), std::nullopt}};
  if (context.output_count() < types.size())
    types.resize(std::max<size_t>(context.output_count(), 1));
  return types;
}

Tensors run_attention(const OpContext& context, const Types& types) {
  const AttentionPlan plan = plan_attention(context);
  const Heads &query = plan.query, &to = plan.result;
  const Tensor queries = context.tensor(kQuery).to(DType::f64);
  const Tensor keys = joined(context, kPastKey, kKey, plan.key, plan.all_keys());
  const Tensor values = joined(context, kPastValue, kValue, plan.value, plan.all_values());
  Tensor report(DType::f64, types.size() > 3 ? plan.scores() : Shape{0});
  double* reported = types.size() > 3 ? report.mutable_data<double>().data() : nullptr;
  Tensor result(DType::f64, to.shape());
  double* out = result.mutable_data<double>().data();
  const Bias bias(context, plan);
  const Rows to_probabilities = rows_of(context, plan);
  std::vector<double> row(static_cast<size_t>(plan.keys));
  const int64_t shared = query.heads / plan.key.heads;  // query heads that read one key head
  for (int64_t b = 0; b < query.batch; ++b)
    for (int64_t h = 0; h < query.heads; ++h)
      for (int64_t q = 0; q < query.rows; ++q) {
        bias.fill(b, h, q, row);
        to_probabilities(queries.data<double>().data() + query.start(b, h) + q * query.row_step(),
                         keys.data<double>().data() + plan.all_keys().start(b, h / shared), row,
                         reported);
        if (reported) reported += plan.keys;
        const double* value = values.data<double>().data() + plan.all_values().start(b, h / shared);
        double* sums = out + to.start(b, h) + q * to.row_step();
        for (const double p : row)
          for (int64_t d = 0; d < to.width; ++d) sums[d] += p * *value++;
      }
  Tensors all = {std::move(result), keys, values, std::move(report)};
  all.resize(types.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = all[i].to(types[i].dtype);
  return all;
}

}  // namespace fp8q
