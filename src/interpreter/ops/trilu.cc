// Trilu (since 14) keeps the upper (default) or lower triangle of the last two dimensions, from
// diagonal k on. Other elements are zero.
#include <algorithm>
#include <cstring>

#include "interpreter/ops/layout.h"

namespace fp8q {

Types infer_trilu(const OpContext& context) {
  const Operand& x = context.input(0);
  if (x.shape.size() < 2) context.reject("has an input of shape {}", to_string(x.shape));
  return {{x.dtype, x.shape, std::nullopt}};
}

Tensors run_trilu(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const bool upper = context.int_attribute("upper", 1) != 0;
  const int64_t rows = x.dim(-2);
  const int64_t columns = x.dim(-1);
  const auto diagonals = context.has(1) ? context.ints(1) : std::vector<int64_t>{0};
  if (diagonals.size() != 1) context.reject("has {} diagonals", diagonals.size());
  const int64_t k = std::clamp(diagonals[0], -rows, columns);  // a k beyond these changes nothing
  const auto size = static_cast<int64_t>(element_size(x.dtype()));
  Tensor out(types[0].dtype, types[0].shape);
  std::byte* to = out.mutable_bytes();
  for (int64_t row = 0; columns > 0 && row < x.size() / columns; ++row) {
    const int64_t diagonal = row % rows + k;
    const int64_t first = upper ? std::clamp<int64_t>(diagonal, 0, columns) : 0;
    const int64_t end = upper ? columns : std::clamp<int64_t>(diagonal + 1, 0, columns);
    const int64_t offset = (row * columns + first) * size;
    std::memcpy(to + offset, x.bytes() + offset, static_cast<size_t>((end - first) * size));
  }
  return {std::move(out)};
}

}  // namespace fp8q
