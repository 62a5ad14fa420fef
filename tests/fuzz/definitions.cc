#include "tests/fuzz/definitions.h"

#include "base/error.h"
#include "tests/fuzz/definition_call.h"

namespace fp8q::test {
namespace {

constexpr int64_t kLarge = 4096;  // elements of an operand

// How finely a type resolves values.
struct Resolution {
  double relative;
  double smallest;
  double largest;
};

std::optional<Resolution> resolution(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return Resolution{0x1p-48, 0x1p-1060, std::numeric_limits<double>::max()};
    case DType::f32:
      return Resolution{0x1p-23, 0x1p-149, std::numeric_limits<float>::max()};
    case DType::f16:
      return Resolution{0x1p-10, 0x1p-24, 65504};
    case DType::bf16:
      return Resolution{0x1p-7, 0x1p-133, 0x1.FEp127};
    default:
      return std::nullopt;  // exact
  }
}

// Integers that do not fit wrap around in some way.
bool fits(DType dtype, double value) {
  switch (dtype) {
    case DType::i8:
      return std::fabs(value + 0.5) < 128;
    case DType::u8:
      return value >= 0 && value < 256;
    case DType::i32:
    case DType::i64:
      return std::fabs(value) < 0x1p31;
    default:
      return true;
  }
}

bool agrees(const Element& expected, DType dtype, double found) {
  const double e = expected.value;
  if (std::isinf(expected.slack) || !fits(dtype, e)) return true;
  if (std::isnan(e)) return std::isnan(found);
  const auto type = resolution(dtype);
  if (!type) return found == e;
  if (std::fabs(e) >= 0.999 * type->largest)
    return std::signbit(e) == std::signbit(found) && std::fabs(found) >= 0.99 * type->largest;
  const double tolerance = expected.slack + 2 * type->relative * std::fabs(e) + type->smallest;
  return std::fabs(found - e) <= tolerance;
}

Definition definition_of(std::string_view op) {
  for (const auto lookup : {elementwise_definition, layout_definition, sum_definition})
    if (const Definition found = lookup(op)) return found;
  return nullptr;
}

}  // namespace

std::optional<Defined> define(const Node& node, int64_t opset,
                              const std::vector<const Tensor*>& inputs) {
  const Definition definition = node.domain.empty() ? definition_of(node.op_type) : nullptr;
  if (!definition) return std::nullopt;
  Call call{node, opset, {}, {}};
  for (const Tensor* tensor : inputs) {
    call.present.push_back(tensor != nullptr);
    Operand& operand = call.operands.emplace_back();
    if (!tensor) continue;
    if (tensor->size() > kLarge) return std::nullopt;
    const Tensor wide = tensor->to(DType::f64);
    const auto values = wide.data<double>();
    operand = {tensor->dtype(), tensor->shape(), {values.begin(), values.end()}};
  }
  return definition(call);
}

std::string difference(const Defined& defined, const Tensor& found) {
  if (defined.shape != found.shape())
    return fmt::format("has the shape {}, is defined with {}", to_string(found.shape()),
                       to_string(defined.shape));
  const Tensor wide = found.to(DType::f64);
  const auto values = wide.data<double>();
  for (size_t i = 0; i < values.size(); ++i)
    if (!agrees(defined.elements[i], found.dtype(), values[i]))
      return fmt::format("has {} at {}, is defined as {} (+- {})", values[i], i,
                         defined.elements[i].value, defined.elements[i].slack);
  return "";
}

}  // namespace fp8q::test
