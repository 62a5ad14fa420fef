// Constant (since 1) takes `value`, and from opset 12 also value_float(s) and value_int(s). Strings
// and sparse tensors are not supported.
#include "interpreter/operator.h"

namespace fp8q {
namespace {

template <typename T>
Tensor list(const std::vector<T>& values) {
  return Tensor::of<T>({static_cast<int64_t>(values.size())}, values);
}

Tensor constant_value(const OpContext& context) {
  const auto get = [&]<typename T>(const char* name, TypeTag<T>) -> const T* {
    const Attribute* attribute = find_attribute(context.node(), name);
    return attribute ? std::get_if<T>(attribute) : nullptr;
  };
  if (const auto* v = get("value", TypeTag<Tensor>{})) return *v;
  if (const auto* v = get("value_float", TypeTag<float>{})) return Tensor::scalar(*v);
  if (const auto* v = get("value_int", TypeTag<int64_t>{})) return Tensor::scalar(*v);
  if (const auto* v = get("value_floats", TypeTag<std::vector<float>>{})) return list(*v);
  if (const auto* v = get("value_ints", TypeTag<std::vector<int64_t>>{})) return list(*v);
  context.refuse("has no value that is a dense tensor of numbers");
}

}  // namespace

Types infer_constant(const OpContext& context) {
  Tensor value = constant_value(context);
  return {{value.dtype(), value.shape(), value}};
}

}  // namespace fp8q
