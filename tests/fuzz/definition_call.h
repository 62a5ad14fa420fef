// What definitions of operators read: the operands as doubles, and the attributes.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "graph/graph.h"
#include "tests/fuzz/definitions.h"

namespace fp8q::test {

using Index = std::vector<int64_t>;

inline constexpr Element kOpen{0, std::numeric_limits<double>::infinity()};

struct Operand {
  DType dtype = DType::f32;
  Shape shape;
  std::vector<double> values;

  double at(const Index& index) const {
    size_t offset = 0;
    for (size_t d = 0; d < shape.size(); ++d)
      offset = offset * static_cast<size_t>(shape[d]) + static_cast<size_t>(index[d]);
    return values.at(offset);
  }
  // The index is one of a shape that this operand is broadcast to.
  double broadcast_at(const Index& index) const {
    Index own(index.end() - static_cast<long>(shape.size()), index.end());
    for (size_t d = 0; d < own.size(); ++d)
      if (shape[d] == 1) own[d] = 0;
    return at(own);
  }
  bool integer() const {
    return dtype == DType::i64 || dtype == DType::i32 || dtype == DType::i8 || dtype == DType::u8;
  }
};

struct Call {
  const Node& node;
  int64_t opset;
  std::vector<Operand> operands;
  std::vector<bool> present;

  bool has(size_t i) const { return i < present.size() && present[i]; }
  const Operand& operator[](size_t i) const { return operands.at(i); }

  template <typename T>
  T attribute(const char* name, T otherwise) const {
    const Attribute* found = find_attribute(node, name);
    return found ? std::get<T>(*found) : otherwise;
  }
  bool flag(const char* name) const { return attribute<int64_t>(name, 0) != 0; }
  // Returns an axis from 0 on.
  size_t axis(int64_t otherwise, size_t rank) const {
    const auto axis = attribute<int64_t>("axis", otherwise);
    return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
  }
};

// Calls f(index) for every index of the shape, in order, and keeps what it returns.
template <typename F>
Defined each(const Shape& shape, const F& f) {
  Defined defined{shape, {}};
  Index index(shape.size(), 0);
  for (int64_t left = elements(shape); left > 0; --left) {
    defined.elements.push_back(f(index));
    for (size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
  return defined;
}

// A sum that is formed in double in any order.
class Sum {
 public:
  void add(double term) {
    value_ += term;
    size_ += std::fabs(term);
    ++terms_;
  }
  Element element(double factor = 1) const {
    const double slack = terms_ * 0x1p-51 * size_ * std::fabs(factor);
    return {value_ * factor, std::isfinite(slack) ? slack : 0};
  }
  double value() const { return value_; }

 private:
  double value_ = 0, size_ = 0, terms_ = 0;
};

using Definition = std::optional<Defined> (*)(const Call&);

// Returns nullptr if the file does not define the operator.
Definition elementwise_definition(std::string_view op);
Definition layout_definition(std::string_view op);
Definition sum_definition(std::string_view op);

}  // namespace fp8q::test
