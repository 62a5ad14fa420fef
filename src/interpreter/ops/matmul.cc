// MatMul (since 1; integers from 9, bfloat16 from 13) is NumPy's matmul, see product.h.
#include "interpreter/ops/elementwise.h"
#include "interpreter/ops/product.h"

namespace fp8q {

Types infer_matmul(const OpContext& context) {
  require_same_types(context);
  const MatMulPlan plan = plan_matmul(context, context.input(0).shape, context.input(1).shape);
  return {{context.input(0).dtype, plan.out, std::nullopt}};
}

namespace {

// a, b and the result have the type T; sums are formed in Sum.
template <typename T, typename Sum>
Tensor multiply(const MatMulPlan& plan, const Tensor& a, const Tensor& b) {
  const T* left = a.data<T>().data();
  const T* right = b.data<T>().data();
  Tensor out(dtype_of<T>, plan.out);
  T* to = out.mutable_data<T>().data();
  std::vector<Sum> sums(static_cast<size_t>(plan.m * plan.n));
  for_each_matrix(plan, [&](int64_t a_at, int64_t b_at, int64_t out_at) {
    if constexpr (std::is_same_v<T, float>)
      product(left + a_at, right + b_at, sums.data(), plan.m, plan.k, plan.n);
    else plain_product<T, Sum>(left + a_at, right + b_at, sums.data(), plan.m, plan.k, plan.n);
    for (size_t i = 0; i < sums.size(); ++i)
      to[static_cast<size_t>(out_at) + i] = static_cast<T>(sums[i]);
  });
  return out;
}

}  // namespace

Tensors run_matmul(const OpContext& context, const Types& types) {
  const Tensor& a = context.tensor(0);
  const Tensor& b = context.tensor(1);
  const MatMulPlan plan = plan_matmul(context, a.shape(), b.shape());
  Tensors out(1);
  visit_compute(context, a.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, double>;
    out[0] = multiply<T, Sum>(plan, a.to(dtype_of<T>), b.to(dtype_of<T>)).to(types[0].dtype);
  });
  return out;
}

}  // namespace fp8q
