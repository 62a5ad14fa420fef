// MatMulInteger (since 10) is the product of 8-bit integers minus their zero points, in int32.
// QLinearMatMul (since 10; half-precision scales from 21) then scales it to 8-bit codes again. Zero
// points and scales are scalars, or there is one per row of A or per column of B.
#include "interpreter/ops/product.h"
#include "interpreter/ops/quantization.h"

namespace fp8q {
namespace {

// Tells the direction of a vector of zero points: the rows of A or the columns of B.
enum class Along { rows, columns };

// Returns value i of a parameter that has one value, or one per row (column) in its last dimension.
template <typename T>
T parameter(const OpContext& context, const Tensor& t, int64_t i, int64_t length) {
  if (t.size() == 1) return t.data<T>()[0];
  if (t.size() != length)
    context.refuse("scales or zero points of shape {} are not supported", to_string(t.shape()));
  return t.data<T>()[static_cast<size_t>(i)];
}

// Returns input `i` minus its zero point (input `zero`), as int32.
Tensor centered(const OpContext& context, size_t i, size_t zero, Along along) {
  Tensor x = context.tensor(i).to(DType::i32);
  if (!context.has(zero)) return x;
  const Tensor zeros = context.tensor(zero).to(DType::i32);
  const int64_t columns = x.dim(-1);
  const int64_t rows = x.rank() > 1 ? x.dim(-2) : 1;
  Tensor out = x;
  auto to = out.mutable_data<int32_t>();
  for (int64_t at = 0; at < out.size(); ++at) {
    const bool by_row = along == Along::rows;
    const int64_t index = by_row ? at / columns % rows : at % columns;
    to[static_cast<size_t>(at)] -=
        parameter<int32_t>(context, zeros, index, by_row ? rows : columns);
  }
  return out;
}

Tensor product_of(const MatMulPlan& plan, const Tensor& a, const Tensor& b) {
  Tensor out(DType::i32, plan.out);
  int32_t* to = out.mutable_data<int32_t>().data();
  std::vector<uint32_t> sums(static_cast<size_t>(plan.m * plan.n));
  for_each_matrix(plan, [&](int64_t a_at, int64_t b_at, int64_t out_at) {
    plain_product<int32_t, uint32_t>(a.data<int32_t>().data() + a_at,
                                     b.data<int32_t>().data() + b_at, sums.data(), plan.m, plan.k,
                                     plan.n);
    for (size_t i = 0; i < sums.size(); ++i)
      to[static_cast<size_t>(out_at) + i] = static_cast<int32_t>(sums[i]);
  });
  return out;
}

void require_byte(const OpContext& context, size_t i) {
  const DType dtype = context.input(i).dtype;
  if (dtype != DType::u8 && dtype != DType::i8)
    context.refuse("input {} is {}; int8 and uint8 are supported", i, name(dtype));
}

// Checks a matrix and, if present, its zero point.
void require_operand(const OpContext& context, size_t i, size_t zero) {
  require_byte(context, i);
  if (context.has(zero) && context.input(zero).dtype != context.input(i).dtype)
    context.reject("input {} is {}, its zero point {}", i, name(context.input(i).dtype),
                   name(context.input(zero).dtype));
}

}  // namespace

Types infer_matmul_integer(const OpContext& context) {
  require_operand(context, 0, 2);
  require_operand(context, 1, 3);
  return {{DType::i32, plan_matmul(context, context.input(0).shape, context.input(1).shape).out,
           std::nullopt}};
}

Tensors run_matmul_integer(const OpContext& context, const Types&) {
  const MatMulPlan plan = plan_matmul(context, context.input(0).shape, context.input(1).shape);
  return {product_of(plan, centered(context, 0, 2, Along::rows),
                     centered(context, 1, 3, Along::columns))};
}

Types infer_qlinear_matmul(const OpContext& context) {
  require_operand(context, 0, 2);
  require_operand(context, 3, 5);
  require_byte(context, 7);
  return {{context.input(7).dtype,
           plan_matmul(context, context.input(0).shape, context.input(3).shape).out, std::nullopt}};
}

Tensors run_qlinear_matmul(const OpContext& context, const Types& types) {
  const MatMulPlan plan = plan_matmul(context, context.input(0).shape, context.input(3).shape);
  const Tensor sums = product_of(plan, centered(context, 0, 2, Along::rows),
                                 centered(context, 3, 5, Along::columns));
  const Tensor a_scale = context.tensor(1).to(DType::f32);
  const Tensor b_scale = context.tensor(4).to(DType::f32);
  const Tensor y_scale = context.tensor(6).to(DType::f32);
  const Tensor y_zero = context.tensor(7).to(DType::i32);
  Tensor out(types[0].dtype, types[0].shape);
  for (int64_t i = 0; i < out.size(); ++i) {
    const int64_t row = i / plan.n % plan.m;
    const int64_t column = i % plan.n;
    const auto at = static_cast<size_t>(i);
    const float real =
        static_cast<float>(static_cast<double>(sums.data<int32_t>()[at]) *
                           static_cast<double>(parameter<float>(context, a_scale, row, plan.m)) *
                           static_cast<double>(parameter<float>(context, b_scale, column, plan.n)));
    const float quotient = real / parameter<float>(context, y_scale, row, plan.m);
    const int32_t zero = parameter<int32_t>(context, y_zero, row, plan.m);
    if (out.dtype() == DType::u8)
      out.mutable_data<uint8_t>()[at] = quantize_integer<uint8_t>(quotient, zero);
    else out.mutable_data<int8_t>()[at] = quantize_integer<int8_t>(quotient, zero);
  }
  return {std::move(out)};
}

}  // namespace fp8q
