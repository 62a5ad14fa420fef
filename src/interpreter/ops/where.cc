// Where (since 9) gives condition ? x : y, with the three broadcast together, for any element type.
#include <cstring>

#include "interpreter/ops/elementwise.h"

namespace fp8q {

Types infer_where(const OpContext& context) {
  if (context.input(0).dtype != DType::boolean)
    context.reject("the condition is {}, not bool", name(context.input(0).dtype));
  if (context.input(1).dtype != context.input(2).dtype)
    context.reject("chooses between {} and {}; they must have one type",
                   name(context.input(1).dtype), name(context.input(2).dtype));
  return {{context.input(1).dtype, broadcast_all(context), std::nullopt}};
}

Tensors run_where(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(1);
  const Tensor& y = context.tensor(2);
  const auto condition = context.tensor(0).data<bool>();
  const Shape& shape = types[0].shape;
  Tensor out(types[0].dtype, shape);
  std::byte* to = out.mutable_bytes();
  visit_element_size(out.dtype(), [&](auto size) {
    constexpr int64_t kSize = decltype(size)::value;
    for_each_row<3>(
        shape,
        {broadcast_strides(context.input(0).shape, shape), broadcast_strides(x.shape(), shape),
         broadcast_strides(y.shape(), shape)},
        [&](int64_t position, int64_t count, const auto& offsets, const auto& steps) {
          for (int64_t i = 0; i < count; ++i) {
            const bool first = condition[static_cast<size_t>(offsets[0] + i * steps[0])];
            const std::byte* from = first ? x.bytes() + (offsets[1] + i * steps[1]) * kSize
                                          : y.bytes() + (offsets[2] + i * steps[2]) * kSize;
            std::memcpy(to + (position + i) * kSize, from, kSize);
          }
        });
  });
  return {std::move(out)};
}

}  // namespace fp8q
