// Gemm (since 1) computes alpha * A' * B' + beta * C, where A' and B' are optionally transposed. C
// is broadcast to the result from opset 7 (before, the attribute `broadcast` asks for the same),
// and is optional from 11.
#include "interpreter/ops/elementwise.h"
#include "interpreter/ops/product.h"

namespace fp8q {
namespace {

// Returns the shape of the matrix as the product sees it.
Shape oriented(const OpContext& context, size_t i, bool transposed) {
  const Shape& shape = context.input(i).shape;
  if (shape.size() != 2)
    context.reject("input {} has the shape {}, not a matrix", i, to_string(shape));
  return transposed ? Shape{shape[1], shape[0]} : shape;
}

MatMulPlan plan_gemm(const OpContext& context) {
  return plan_matmul(context, oriented(context, 0, context.int_attribute("transA", 0) != 0),
                     oriented(context, 1, context.int_attribute("transB", 0) != 0));
}

Tensor operand(const OpContext& context, size_t i, const char* flag, DType wide) {
  const bool transposed = context.int_attribute(flag, 0) != 0;
  Tensor x = context.tensor(i).to(wide);
  if (!transposed) return x;
  Tensor turned(wide, oriented(context, i, true));
  copy_strided(x, 0, turned.shape(), {1, x.shape()[1]}, turned.mutable_bytes());
  return turned;
}

}  // namespace

Types infer_gemm(const OpContext& context) {
  require_same_types(context);
  require_float(context, context.input(0).dtype);
  const MatMulPlan plan = plan_gemm(context);
  if (context.has(2) && broadcast(context.input(2).shape, plan.out) != plan.out)
    context.reject("cannot add {} to {}", to_string(context.input(2).shape), to_string(plan.out));
  return {{context.input(0).dtype, plan.out, std::nullopt}};
}

Tensors run_gemm(const OpContext& context, const Types& types) {
  const MatMulPlan plan = plan_gemm(context);
  const auto alpha = static_cast<double>(context.float_attribute("alpha", 1.0f));
  const auto beta = static_cast<double>(context.float_attribute("beta", 1.0f));
  const DType dtype = types[0].dtype;
  const DType computed = dtype == DType::f64 ? DType::f64 : DType::f32;
  const Tensor a = operand(context, 0, "transA", computed);
  const Tensor b = operand(context, 1, "transB", computed);
  Tensor sums(DType::f64, plan.out);
  double* to = sums.mutable_data<double>().data();
  if (computed == DType::f32)
    product(a.data<float>().data(), b.data<float>().data(), to, plan.m, plan.k, plan.n);
  else plain_product(a.data<double>().data(), b.data<double>().data(), to, plan.m, plan.k, plan.n);
  const Tensor c = context.has(2) ? context.tensor(2).to(DType::f64) : Tensor(DType::f64, {1});
  const auto combine = [&](double sum, double added) { return alpha * sum + beta * added; };
  return {map_pairs<double, double, double>(plan.out, sums, c, combine).to(dtype)};
}

}  // namespace fp8q
