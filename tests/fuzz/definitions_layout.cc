// Operators that only move elements.
#include <algorithm>
#include <map>

#include "tests/fuzz/definition_call.h"

namespace fp8q::test {
namespace {

std::vector<int64_t> integers(const Operand& operand) {
  return {operand.values.begin(), operand.values.end()};
}

int64_t from_zero(int64_t i, int64_t size) { return i < 0 ? i + size : i; }

std::optional<Defined> transpose(const Call& call) {
  const Operand& x = call[0];
  std::vector<int64_t> reversed(x.shape.size());
  for (size_t d = 0; d < reversed.size(); ++d)
    reversed[d] = static_cast<int64_t>(reversed.size() - 1 - d);
  const auto perm = call.attribute<std::vector<int64_t>>("perm", reversed);
  Shape shape;
  for (const int64_t axis : perm) shape.push_back(x.shape.at(static_cast<size_t>(axis)));
  return each(shape, [&](const Index& index) {
    Index from(index.size());
    for (size_t d = 0; d < index.size(); ++d) from[static_cast<size_t>(perm[d])] = index[d];
    return Element{x.at(from)};
  });
}

std::optional<Defined> expand(const Call& call) {
  const Operand& x = call[0];
  Shape shape = integers(call[1]);
  if (shape.size() < x.shape.size()) shape.insert(shape.begin(), x.shape.size() - shape.size(), 1);
  for (size_t d = 1; d <= x.shape.size(); ++d) {
    int64_t& dim = shape[shape.size() - d];
    if (dim == 1) dim = x.shape[x.shape.size() - d];
  }
  return each(shape, [&](const Index& index) { return Element{x.broadcast_at(index)}; });
}

std::optional<Defined> tile(const Call& call) {
  const Operand& x = call[0];
  const auto repeats = integers(call[1]);
  Shape shape = x.shape;
  for (size_t d = 0; d < shape.size(); ++d) shape[d] *= repeats.at(d);
  return each(shape, [&](Index index) {
    for (size_t d = 0; d < index.size(); ++d) index[d] %= x.shape[d];
    return Element{x.at(index)};
  });
}

std::optional<Defined> concat(const Call& call) {
  const size_t axis = call.axis(1, call[0].shape.size());
  Shape shape = call[0].shape;
  shape.at(axis) = 0;
  for (const Operand& operand : call.operands) shape[axis] += operand.shape[axis];
  return each(shape, [&](Index index) {
    size_t from = 0;
    for (; index[axis] >= call[from].shape[axis]; ++from) index[axis] -= call[from].shape[axis];
    return Element{call[from].at(index)};
  });
}

std::optional<Defined> gather(const Call& call) {
  const Operand &x = call[0], &indices = call[1];
  const size_t axis = call.axis(0, x.shape.size());
  const auto at = static_cast<long>(axis), rank = static_cast<long>(indices.shape.size());
  Shape shape(x.shape.begin(), x.shape.begin() + at);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), x.shape.begin() + at + 1, x.shape.end());
  return each(shape, [&](const Index& index) {
    Index from(index.begin(), index.begin() + at);
    const Index inner(index.begin() + at, index.begin() + at + rank);
    from.push_back(from_zero(static_cast<int64_t>(indices.at(inner)), x.shape[axis]));
    from.insert(from.end(), index.begin() + at + rank, index.end());
    return Element{x.at(from)};
  });
}

std::optional<Defined> gather_elements(const Call& call) {
  const Operand &x = call[0], &indices = call[1];
  const size_t axis = call.axis(0, x.shape.size());
  return each(indices.shape, [&](Index index) {
    index[axis] = from_zero(static_cast<int64_t>(indices.at(index)), x.shape[axis]);
    return Element{x.at(index)};
  });
}

// One axis of a slice: elements from `start`, `step` apart, before `end`.
struct Range {
  int64_t start, step, count;
};

Range range_of(int64_t start, int64_t end, int64_t step, int64_t size) {
  if (size == 0) return {0, step, 0};
  start = from_zero(start, size);
  end = from_zero(end, size);
  const int64_t least = step < 0 ? -1 : 0, most = step < 0 ? size - 1 : size;
  start = std::clamp<int64_t>(start, 0, most < 0 ? 0 : most);
  end = std::clamp(end, least, size);
  const int64_t distance = step < 0 ? start - end : end - start, stride = std::abs(step);
  return {start, step, std::max<int64_t>(0, (distance + stride - 1) / stride)};
}

std::optional<Defined> slice(const Call& call) {
  if (call.opset < 10) return std::nullopt;  // bounds were attributes
  const Operand& x = call[0];
  const auto starts = integers(call[1]), ends = integers(call[2]);
  std::vector<Range> ranges;
  for (const int64_t dim : x.shape) ranges.push_back({0, 1, dim});
  for (size_t i = 0; i < starts.size(); ++i) {
    const auto axis =
        call.has(3) ? static_cast<int64_t>(call[3].values.at(i)) : static_cast<int64_t>(i);
    const auto d = static_cast<size_t>(from_zero(axis, static_cast<int64_t>(x.shape.size())));
    const int64_t step = call.has(4) ? static_cast<int64_t>(call[4].values.at(i)) : 1;
    ranges.at(d) = range_of(starts[i], ends.at(i), step, x.shape[d]);
  }
  Shape shape;
  for (const Range& range : ranges) shape.push_back(range.count);
  return each(shape, [&](Index index) {
    for (size_t d = 0; d < index.size(); ++d)
      index[d] = ranges[d].start + index[d] * ranges[d].step;
    return Element{x.at(index)};
  });
}

std::optional<Defined> trilu(const Call& call) {
  const Operand& x = call[0];
  const bool upper = call.attribute<int64_t>("upper", 1) != 0;
  const int64_t k = call.has(1) ? static_cast<int64_t>(call[1].values.at(0)) : 0;
  return each(x.shape, [&](const Index& index) {
    const int64_t row = index[index.size() - 2], column = index.back();
    const bool kept = upper ? column >= row + k : column <= row + k;
    return Element{kept ? x.at(index) : 0};
  });
}

std::optional<Defined> flatten(const Call& call) {
  const Operand& x = call[0];
  const size_t axis = call.axis(1, x.shape.size());
  Shape shape = {1, 1};
  for (size_t d = 0; d < x.shape.size(); ++d) shape[d < axis ? 0 : 1] *= x.shape[d];
  size_t next = 0;
  return each(shape, [&](const Index&) { return Element{x.values[next++]}; });
}

std::optional<Defined> identity(const Call& call) {
  return each(call[0].shape, [&](const Index& index) { return Element{call[0].at(index)}; });
}

}  // namespace

Definition layout_definition(std::string_view op) {
  static const std::map<std::string_view, Definition> all = {
      {"Transpose", transpose}, {"Expand", expand}, {"Tile", tile},
      {"Concat", concat},       {"Gather", gather}, {"GatherElements", gather_elements},
      {"Slice", slice},         {"Trilu", trilu},   {"Flatten", flatten},
      {"Identity", identity},
  };
  const auto found = all.find(op);
  return found == all.end() ? nullptr : found->second;
}

}  // namespace fp8q::test
