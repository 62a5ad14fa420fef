// ReduceSum (axes are an input from opset 13), ReduceMean, ReduceMax, ReduceMin, ReduceProd,
// ReduceL1, ReduceL2, ReduceSumSquare (axes are an input from opset 18), all since 1. Without axes,
// all dimensions are reduced. With noop_with_empty_axes=1 none is, and only the function of one
// element is applied. Floats are reduced in double, integers in int64; ReduceMean of integers
// truncates.
#include <algorithm>
#include <limits>

#include "interpreter/ops/elementwise.h"

namespace fp8q {
namespace {

struct Reduction {
  std::vector<size_t> axes;
  bool keep_dims = true;
};

Reduction reduction_of(const OpContext& context) {
  const int64_t since = context.node().op_type == "ReduceSum" ? 13 : 18;
  const size_t rank = context.input(0).shape.size();
  const auto given = context.ints_since(since, "axes", 1);
  Reduction r;
  r.keep_dims = context.int_attribute("keepdims", 1) != 0;
  if (given && !given->empty()) {
    r.axes = normalized_axes(context, *given, rank);
  } else if (context.int_attribute("noop_with_empty_axes", 0) == 0) {
    for (size_t i = 0; i < rank; ++i) r.axes.push_back(i);
  }
  return r;
}

// Says how elements are combined: result = finish(add(... add(start, x0) ..., xn), n).
template <typename Sum>
struct Fold {
  std::string_view name;
  Sum start;
  Sum (*add)(Sum, Sum);
  Sum (*finish)(Sum, int64_t);
};

template <typename Sum>
Fold<Sum> fold_named(std::string_view name, Sum lowest, Sum highest) {
  constexpr auto kAdd = [](Sum a, Sum x) { return wrapping_add(a, x); };
  constexpr auto kAddAbsolute = [](Sum a, Sum x) {
    return wrapping_add(a, x < 0 ? wrapping_subtract(Sum{0}, x) : x);
  };
  constexpr auto kAddSquare = [](Sum a, Sum x) { return wrapping_add(a, wrapping_multiply(x, x)); };
  constexpr auto kKeep = [](Sum a, int64_t) { return a; };
  constexpr auto kDivide = [](Sum a, int64_t n) {
    // The mean of no integers is not defined; it must not trap.
    return std::is_integral_v<Sum> && n == 0 ? Sum{0} : a / static_cast<Sum>(n);
  };
  constexpr auto kRoot = [](Sum a, int64_t) {
    return static_cast<Sum>(std::sqrt(static_cast<double>(a)));
  };
  const Fold<Sum> folds[] = {
      {"ReduceSum", 0, kAdd, kKeep},
      {"ReduceMean", 0, kAdd, kDivide},
      {"ReduceMax", lowest, [](Sum a, Sum x) { return maximum(a, x); }, kKeep},
      {"ReduceMin", highest, [](Sum a, Sum x) { return minimum(a, x); }, kKeep},
      {"ReduceProd", 1, [](Sum a, Sum x) { return wrapping_multiply(a, x); }, kKeep},
      {"ReduceL1", 0, kAddAbsolute, kKeep},
      {"ReduceL2", 0, kAddSquare, kRoot},
      {"ReduceSumSquare", 0, kAddSquare, kKeep},
  };
  const auto* it = std::ranges::find(folds, name, &Fold<Sum>::name);
  FP8Q_ASSERT(it != std::end(folds));
  return *it;
}

// Return the smallest and the largest value of an element type, as the wide type T.
template <typename T>
std::pair<T, T> range_of(DType dtype) {
  if constexpr (std::is_integral_v<T>) {
    if (dtype == DType::u8) return {0, UINT8_MAX};
    if (dtype == DType::i8) return {INT8_MIN, INT8_MAX};
    if (dtype == DType::i32) return {INT32_MIN, INT32_MAX};
    return {INT64_MIN, INT64_MAX};
  } else {
    return {-std::numeric_limits<T>::infinity(), std::numeric_limits<T>::infinity()};
  }
}

// Holds the dimensions of x that stay, and the dimensions that are reduced.
struct Split {
  Shape kept_shape;
  Strides kept;
  Shape reduced_shape;
  Strides reduced;
};

Split split(const Shape& shape, const std::vector<size_t>& axes) {
  const Strides own = strides_of(shape);
  Split s;
  for (size_t i = 0; i < own.size(); ++i) {
    const bool drop = std::ranges::binary_search(axes, i);
    (drop ? s.reduced_shape : s.kept_shape).push_back(shape[i]);
    (drop ? s.reduced : s.kept).push_back(own[i]);
  }
  return s;
}

template <typename T>
void reduce(const Fold<T>& fold, const Split& s, const T* from, T* to) {
  const int64_t n = elements(s.reduced_shape);
  for_each_row<1>(s.kept_shape, {s.kept},
                  [&](int64_t position, int64_t count, const auto& offset, const auto& step) {
                    for (int64_t i = 0; i < count; ++i) {
                      T sum = fold.start;
                      const T* base = from + offset[0] + i * step[0];
                      for_each_row<1>(
                          s.reduced_shape, {s.reduced},
                          [&](int64_t, int64_t length, const auto& start, const auto& stride) {
                            for (int64_t j = 0; j < length; ++j)
                              sum = fold.add(sum, base[start[0] + j * stride[0]]);
                          });
                      to[position + i] = fold.finish(sum, n);
                    }
                  });
}

}  // namespace

Types infer_reduce(const OpContext& context) {
  const Operand& x = context.input(0);
  const Reduction r = reduction_of(context);
  Shape shape;
  for (size_t i = 0; i < x.shape.size(); ++i) {
    if (!std::ranges::binary_search(r.axes, i)) shape.push_back(x.shape[i]);
    else if (r.keep_dims) shape.push_back(1);
  }
  return {{x.dtype, shape, std::nullopt}};
}

Tensors run_reduce(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const Split s = split(x.shape(), reduction_of(context).axes);
  Tensors out(1);
  visit_wide(context, x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto [lowest, highest] = range_of<T>(x.dtype());
    const Tensor wide = x.to(dtype_of<T>);
    Tensor result(dtype_of<T>, types[0].shape);
    reduce<T>(fold_named<T>(context.node().op_type, lowest, highest), s,
              wide.template data<T>().data(), result.template mutable_data<T>().data());
    out[0] = result.to(types[0].dtype);
  });
  return out;
}

}  // namespace fp8q
