#include "interpreter/ops/layout.h"

#include <algorithm>
#include <cstring>

namespace fp8q {

Strides strides_of(const Shape& shape) {
  Strides strides(shape.size());
  int64_t step = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

Strides broadcast_strides(const Shape& from, const Shape& to) {
  FP8Q_ASSERT(from.size() <= to.size());
  const Strides own = strides_of(from);
  const size_t lead = to.size() - from.size();
  Strides strides(to.size(), 0);
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i] != 1) strides[lead + i] = own[i];
  return strides;
}

size_t normalized_axis(const OpContext& context, int64_t axis, size_t rank) {
  const auto limit = static_cast<int64_t>(rank);
  if (axis < -limit || axis >= limit)
    context.reject("axis {} is outside a tensor of {} dimensions", axis, rank);
  return static_cast<size_t>(axis < 0 ? axis + limit : axis);
}

std::vector<size_t> normalized_axes(const OpContext& context, const std::vector<int64_t>& axes,
                                    size_t rank) {
  std::vector<size_t> result;
  result.reserve(axes.size());
  for (const int64_t axis : axes) result.push_back(normalized_axis(context, axis, rank));
  std::ranges::sort(result);
  if (std::ranges::adjacent_find(result) != result.end())
    context.reject("an axis is given twice in {}", to_string(axes));
  return result;
}

AxisView axis_view(const Shape& shape, size_t axis) {
  return {elements_between(shape, 0, axis), shape[axis],
          elements_between(shape, axis + 1, shape.size())};
}

int64_t elements_between(const Shape& shape, size_t from, size_t to) {
  int64_t product = 1;
  for (size_t i = from; i < to; ++i) product *= shape[i];
  return product;
}

void copy_strided(const Tensor& from, int64_t base, const Shape& shape, const Strides& strides,
                  std::byte* to) {
  const std::byte* bytes = from.bytes();
  visit_element_size(from.dtype(), [&](auto size) {
    constexpr int64_t kSize = decltype(size)::value;
    for_each_row<1>(shape, {strides},
                    [&](int64_t position, int64_t count, const auto& offset, const auto& step) {
                      const std::byte* source = bytes + (base + offset[0]) * kSize;
                      std::byte* target = to + position * kSize;
                      if (step[0] == 1) {
                        std::memcpy(target, source, static_cast<size_t>(count * kSize));
                        return;
                      }
                      for (int64_t i = 0; i < count; ++i)
                        std::memcpy(target + i * kSize, source + i * step[0] * kSize, kSize);
                    });
  });
}

}  // namespace fp8q
