// RotaryEmbedding (since 23) rotates pairs of elements of every head by angles that depend on the
// token. x is [batch, heads, sequence, head size], or [batch, sequence, heads x head size]. The
// cosines and sines are those of each token, [batch, sequence, pairs], or rows of tables that
// position_ids pick. A pair lies `pairs` elements apart, or side by side if `interleaved` is set.
// Elements behind the first rotary_embedding_dim of a head stay. All is computed in double and
// rounded once.
#include "interpreter/ops/elementwise.h"

namespace fp8q {
namespace {

struct RotaryPlan {
  int64_t batch, sequence, heads, head_size;
  bool heads_first;
  int64_t pairs = 0;

  int64_t start(int64_t b, int64_t s, int64_t h) const {
    return (heads_first ? (b * heads + h) * sequence + s : (b * sequence + s) * heads + h) *
           head_size;
  }
};

void check_angles(const OpContext& context, const RotaryPlan& plan) {
  const bool picked = context.has(3);
  for (const size_t i : {1, 2}) {
    const Shape& shape = context.input(i).shape;
    require_float(context, context.input(i).dtype);
    const bool fits = picked ? shape.size() == 2 && shape[1] == plan.pairs
                             : shape == Shape{plan.batch, plan.sequence, plan.pairs};
    if (!fits || shape != context.input(1).shape)
      context.reject("input {} has the shape {}, which does not fit {} pairs", i, to_string(shape),
                     plan.pairs);
  }
  if (picked && (context.input(3).dtype != DType::i64 ||
                 context.input(3).shape != Shape{plan.batch, plan.sequence}))
    context.reject("position_ids are no int64 of the shape [{}, {}]", plan.batch, plan.sequence);
}

RotaryPlan plan_rotary(const OpContext& context) {
  const Shape& x = context.input(0).shape;
  RotaryPlan plan{};
  if (x.size() == 4) {
    plan = {x[0], x[2], x[1], x[3], true};
  } else {
    const int64_t heads = context.int_attribute("num_heads", 0);
    if (x.size() != 3 || heads <= 0 || x[2] % heads != 0)
      context.reject("x has the shape {} and num_heads is {}", to_string(x), heads);
    plan = {x[0], x[1], heads, x[2] / heads, false};
  }
  int64_t rotated = context.int_attribute("rotary_embedding_dim", 0);
  if (rotated == 0) rotated = plan.head_size;
  if (rotated < 0 || rotated % 2 != 0 || rotated > plan.head_size)
    context.reject("{} of {} elements cannot be rotated in pairs", rotated, plan.head_size);
  plan.pairs = rotated / 2;
  check_angles(context, plan);
  return plan;
}

// Returns the row of the cosines and sines of every token.
std::vector<int64_t> rows_of_angles(const OpContext& context, const RotaryPlan& plan) {
  std::vector<int64_t> rows(static_cast<size_t>(plan.batch * plan.sequence));
  for (size_t t = 0; t < rows.size(); ++t) rows[t] = static_cast<int64_t>(t);
  if (!context.has(3)) return rows;
  rows = context.ints(3);
  const int64_t count = context.input(1).shape[0];
  for (int64_t& row : rows) {
    if (row < -count || row >= count)
      context.reject("position {} is outside of a table of {} rows", row, count);
    if (row < 0) row += count;
  }
  return rows;
}

}  // namespace

Types infer_rotary_embedding(const OpContext& context) {
  require_float(context, context.input(0).dtype);
  plan_rotary(context);
  return infer_same(context);
}

Tensors run_rotary_embedding(const OpContext& context, const Types& types) {
  const RotaryPlan plan = plan_rotary(context);
  Tensor out = context.tensor(0).to(DType::f64);
  const Tensor cosines = context.tensor(1).to(DType::f64), sines = context.tensor(2).to(DType::f64);
  const bool interleaved = context.int_attribute("interleaved", 0) != 0;
  const int64_t apart = interleaved ? 1 : plan.pairs, step = interleaved ? 2 : 1;
  const std::vector<int64_t> rows = rows_of_angles(context, plan);
  double* values = out.mutable_data<double>().data();
  for (size_t t = 0; t < rows.size(); ++t) {
    const auto token = static_cast<int64_t>(t);
    const double* cosine = cosines.data<double>().data() + rows[t] * plan.pairs;
    const double* sine = sines.data<double>().data() + rows[t] * plan.pairs;
    for (int64_t h = 0; h < plan.heads; ++h) {
      double* x = values + plan.start(token / plan.sequence, token % plan.sequence, h);
      for (int64_t p = 0; p < plan.pairs; ++p, x += step) {
        const double a = x[0], b = x[apart];
        x[0] = cosine[p] * a - sine[p] * b;
        x[apart] = sine[p] * a + cosine[p] * b;
      }
    }
  }
  return {out.to(types[0].dtype)};
}

}  // namespace fp8q
