// Operators that look at many elements for each of theirs: products, reductions, normalizations.
#include <algorithm>
#include <map>

#include "tests/fuzz/definition_call.h"

namespace fp8q::test {
namespace {

// ---- products

std::optional<Defined> matmul(const Call& call) {
  Operand a = call[0], b = call[1];
  const bool row = a.shape.size() == 1, column = b.shape.size() == 1;
  if (row) a.shape.insert(a.shape.begin(), 1);
  if (column) b.shape.push_back(1);
  const size_t rank = std::max(a.shape.size(), b.shape.size());
  Shape shape(rank, 1);
  for (const Operand* x : {&a, &b})
    for (size_t d = 3; d <= x->shape.size(); ++d)
      if (shape[rank - d] == 1) shape[rank - d] = x->shape[x->shape.size() - d];
  shape[rank - 2] = a.shape[a.shape.size() - 2];
  shape[rank - 1] = b.shape.back();
  Defined product = each(shape, [&](const Index& index) {
    Sum sum;
    Index left = index, right = index;
    for (int64_t k = 0; k < a.shape.back(); ++k) {
      left.back() = right[rank - 2] = k;
      sum.add(a.broadcast_at(left) * b.broadcast_at(right));
    }
    return sum.element();
  });
  if (column) product.shape.pop_back();
  if (row) product.shape.erase(product.shape.end() - (column ? 1 : 2));
  return product;
}

std::optional<Defined> gemm(const Call& call) {
  const Operand &a = call[0], &b = call[1];
  const bool ta = call.flag("transA"), tb = call.flag("transB");
  const double alpha = call.attribute<float>("alpha", 1), beta = call.attribute<float>("beta", 1);
  const Shape shape = {a.shape.at(ta), b.shape.at(!tb)};
  return each(shape, [&](const Index& index) {
    Sum sum;
    for (int64_t k = 0; k < a.shape[!ta]; ++k)
      sum.add(alpha * (ta ? a.at({k, index[0]}) : a.at({index[0], k})) *
              (tb ? b.at({index[1], k}) : b.at({k, index[1]})));
    if (call.has(2)) sum.add(beta * call[2].broadcast_at(index));
    return sum.element();
  });
}

// ---- reductions

// Calls f(list) for the elements of `x` that share the index of the other axes.
template <typename F>
std::optional<Defined> reduced(const Operand& x, const std::vector<bool>& axes, bool keepdims,
                               const F& f) {
  Shape kept = x.shape;
  for (size_t d = 0; d < kept.size(); ++d)
    if (axes[d]) kept[d] = 1;
  if (elements(kept) * elements(x.shape) > (1 << 16)) return std::nullopt;
  Defined result = each(kept, [&](const Index& at) {
    std::vector<double> list;
    each(x.shape, [&](const Index& index) {
      bool same = true;
      for (size_t d = 0; d < index.size(); ++d) same = same && (axes[d] || index[d] == at[d]);
      if (same) list.push_back(x.at(index));
      return Element{0};
    });
    return f(list);
  });
  if (!keepdims) {
    result.shape.clear();
    for (size_t d = 0; d < axes.size(); ++d)
      if (!axes[d]) result.shape.push_back(x.shape[d]);
  }
  return result;
}

std::optional<Defined> reduce(const Call& call, Element (*f)(const std::vector<double>&)) {
  const Operand& x = call[0];
  std::vector<int64_t> axes = call.attribute<std::vector<int64_t>>("axes", {});
  if (call.has(1)) axes.assign(call[1].values.begin(), call[1].values.end());
  const bool all = axes.empty() && !call.flag("noop_with_empty_axes");
  std::vector<bool> reduces(x.shape.size(), all);
  for (const int64_t axis : axes)
    reduces.at(static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(x.shape.size()) : axis)) =
        true;
  if (axes.empty() && !all) return std::nullopt;  // versions differ in what is left to do
  return reduced(x, reduces, call.attribute<int64_t>("keepdims", 1) != 0, f);
}

template <Element (*f)(const std::vector<double>&)>
std::optional<Defined> reduction(const Call& call) {
  return reduce(call, f);
}

template <Element (*f)(const std::vector<double>&)>
std::optional<Defined> float_reduction(const Call& call) {
  return call[0].integer() ? std::nullopt : reduce(call, f);
}

using List = std::vector<double>;

template <double (*of)(double)>
Sum sum_of(const List& x) {
  Sum sum;
  for (const double v : x) sum.add(of(v));
  return sum;
}
double itself(double x) { return x; }
double size(double x) { return std::fabs(x); }
double square(double x) { return x * x; }

Element total(const List& x) { return sum_of<itself>(x).element(); }
Element l1(const List& x) { return sum_of<size>(x).element(); }
Element squares(const List& x) { return sum_of<square>(x).element(); }
Element l2(const List& x) { return {std::sqrt(sum_of<square>(x).value())}; }
Element mean(const List& x) {
  return x.empty() ? kOpen : sum_of<itself>(x).element(1.0 / static_cast<double>(x.size()));
}
Element product(const List& x) {
  double product = 1;
  for (const double v : x) product *= v;
  // The order decides whether a product overflows or vanishes on the way.
  return std::isfinite(product) && product != 0 ? Element{product} : kOpen;
}
Element largest(const List& x) {
  double found = -INFINITY;
  for (const double v : x) found = std::isnan(v) || v > found ? v : found;
  return x.empty() || std::isnan(sum_of<itself>(x).value()) ? kOpen : Element{found};
}
Element smallest(const List& x) {
  double found = INFINITY;
  for (const double v : x) found = v < found ? v : found;
  return x.empty() || std::isnan(sum_of<itself>(x).value()) ? kOpen : Element{found};
}

template <bool kMax>
std::optional<Defined> arg_extreme(const Call& call) {
  const Operand& x = call[0];
  std::vector<bool> axes(x.shape.size(), false);
  axes.at(call.axis(0, x.shape.size())) = true;
  const bool last = call.flag("select_last_index");
  return reduced(x, axes, call.attribute<int64_t>("keepdims", 1) != 0, [&](const List& list) {
    if (list.empty() || std::isnan(sum_of<itself>(list).value())) return kOpen;
    size_t best = 0;
    for (size_t i = 1; i < list.size(); ++i) {
      const bool better = kMax ? list[i] > list[best] : list[i] < list[best];
      if (better || (last && list[i] == list[best])) best = i;
    }
    return Element{static_cast<double>(best)};
  });
}

// ---- normalizations

// Returns the elements that are normalized together with that at `index`: those along the axis, or
// along all axes from it on.
List row_of(const Operand& x, const Index& index, size_t axis, bool to_the_end) {
  List row;
  Shape free(x.shape.begin() + static_cast<long>(axis),
             to_the_end ? x.shape.end() : x.shape.begin() + static_cast<long>(axis) + 1);
  each(free, [&](const Index& part) {
    Index at = index;
    std::copy(part.begin(), part.end(), at.begin() + static_cast<long>(axis));
    row.push_back(x.at(at));
    return Element{0};
  });
  return row;
}

template <bool kLogarithm>
std::optional<Defined> softmax(const Call& call) {
  const Operand& x = call[0];
  if (x.shape.empty() || x.values.size() > 256) return std::nullopt;
  const bool flat = call.opset < 13;
  const size_t axis = call.axis(flat ? 1 : -1, x.shape.size());
  if (axis >= x.shape.size()) return std::nullopt;
  return each(x.shape, [&](const Index& index) {
    const List row = row_of(x, index, axis, flat);
    const double most = *std::max_element(row.begin(), row.end());
    if (!std::isfinite(most) || std::isnan(sum_of<itself>(row).value())) return kOpen;
    double sum = 0;
    for (const double v : row) sum += std::exp(v - most);
    const double above = x.at(index) - most;
    if (!kLogarithm) return Element{std::exp(above) / sum};
    return Element{above - std::log(sum), 0x1p-48 * std::log(2 + sum)};
  });
}

std::optional<Defined> layer_normalization(const Call& call) {
  const Operand& x = call[0];
  if (x.values.size() > 256 || x.shape.empty()) return std::nullopt;
  const size_t axis = call.axis(-1, x.shape.size());
  const double epsilon = call.attribute<float>("epsilon", 1e-5f);
  return each(x.shape, [&](const Index& index) {
    const List row = row_of(x, index, axis, true);
    const double n = static_cast<double>(row.size());
    const double center = sum_of<itself>(row).value() / n;
    double variance = 0, extent = 0;
    for (const double v : row) {
      variance += (v - center) * (v - center) / n;
      extent = std::max(extent, std::fabs(v));
    }
    // Statistics are kept as FP32, so that what is large beside the deviation blurs it.
    if (!(extent < 0x1p40)) return kOpen;
    const double deviation = std::sqrt(variance + epsilon);
    const double scale = call[1].broadcast_at(index);
    const double bias = call.has(2) ? call[2].broadcast_at(index) : 0;
    if (deviation == 0 || !std::isfinite(scale) || !std::isfinite(bias)) return kOpen;
    const double blur = 0x1p-21 * (extent / deviation) * (1 + extent / deviation);
    const double value = (x.at(index) - center) / deviation * scale;
    return Element{value + bias, blur * std::fabs(scale) + 0x1p-22 * std::fabs(value)};
  });
}

}  // namespace

Definition sum_definition(std::string_view op) {
  static const std::map<std::string_view, Definition> all = {
      {"MatMul", matmul},
      {"Gemm", gemm},
      {"ReduceSum", reduction<total>},
      {"ReduceL1", reduction<l1>},
      {"ReduceSumSquare", reduction<squares>},
      {"ReduceL2", float_reduction<l2>},
      {"ReduceMean", float_reduction<mean>},
      {"ReduceProd", reduction<product>},
      {"ReduceMax", reduction<largest>},
      {"ReduceMin", reduction<smallest>},
      {"ArgMax", arg_extreme<true>},
      {"ArgMin", arg_extreme<false>},
      {"Softmax", softmax<false>},
      {"LogSoftmax", softmax<true>},
      {"LayerNormalization", layer_normalization},
  };
  const auto found = all.find(op);
  return found == all.end() ? nullptr : found->second;
}

}  // namespace fp8q::test
