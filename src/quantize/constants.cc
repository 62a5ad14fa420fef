#include "quantize/constants.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/error.h"

namespace fp8q {
namespace {

// Chains in real files have one or two nodes.
constexpr int kMaxChain = 16;

bool is_float(DType dtype) { return dtype == DType::f32 || dtype == DType::f64 || is_half(dtype); }

// Holds the nodes from `value` up to the stored tensor, nearest first.
struct Chain {
  std::vector<const Node*> nodes;
  StoredConstant root;
};

std::optional<Chain> find_chain(const GraphIndex& index, std::string value) {
  Chain chain;
  for (int i = 0; i < kMaxChain; ++i) {
    if (const Tensor* tensor = index.initializer(value)) {
      chain.root = {*tensor, value};
      return chain;
    }
    const Node* node = index.producer(value);
    if (!node) return std::nullopt;
    if (is_op(node, "Constant")) {
      const Tensor* tensor = constant_tensor(*node);
      if (!tensor) return std::nullopt;
      chain.root = {*tensor, ""};
      return chain;
    }
    if (!is_op(node, "Identity") && !is_op(node, "Cast") && !is_op(node, "Transpose"))
      return std::nullopt;
    if (node->inputs.empty()) return std::nullopt;
    chain.nodes.push_back(node);
    value = node->inputs[0];
  }
  return std::nullopt;
}

std::vector<int64_t> permutation(const Node& transpose, int64_t rank) {
  std::vector<int64_t> reversed(static_cast<size_t>(rank));
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  const auto perm = ints_attribute(transpose, "perm", reversed);
  if (!std::ranges::is_permutation(perm, reversed))
    fail(ErrorCode::bad_model, "{}: perm [{}] does not fit a tensor of rank {}",
         describe(transpose), fmt::join(perm, ", "), rank);
  return perm;
}

}  // namespace

std::optional<StoredConstant> stored_constant(const GraphIndex& index, const std::string& value) {
  auto chain = find_chain(index, value);
  if (!chain) return std::nullopt;
  return std::move(chain->root);
}

std::optional<Tensor> constant_contents(const GraphIndex& index, const std::string& value) {
  auto chain = find_chain(index, value);
  if (!chain) return std::nullopt;
  Tensor tensor = std::move(chain->root.tensor);
  for (auto node = chain->nodes.rbegin(); node != chain->nodes.rend(); ++node) {
    if (is_op(*node, "Transpose")) {
      tensor = transposed(tensor, permutation(**node, tensor.rank()));
    } else if (is_op(*node, "Cast")) {
      const auto to = dtype_of_onnx_code(static_cast<int>(int_attribute(**node, "to", 0)));
      if (!to || !is_float(*to) || !is_float(tensor.dtype())) return std::nullopt;
      tensor = tensor.to(*to);
    }
  }
  return is_half(tensor.dtype()) ? tensor.to(DType::f32) : tensor;
}

std::optional<DType> constant_type(const GraphIndex& index, const std::string& value) {
  const auto chain = find_chain(index, value);
  if (!chain) return std::nullopt;
  for (const Node* node : chain->nodes)
    if (is_op(node, "Cast"))
      return dtype_of_onnx_code(static_cast<int>(int_attribute(*node, "to", 0)));
  return chain->root.tensor.dtype();
}

Tensor transposed(const Tensor& tensor, const std::vector<int64_t>& perm) {
  const auto rank = static_cast<size_t>(tensor.rank());
  std::vector<size_t> strides(rank, element_size(tensor.dtype()));  // in bytes
  for (size_t i = rank; i-- > 1;)
    strides[i - 1] = strides[i] * static_cast<size_t>(tensor.shape()[i]);
  Shape shape;
  std::vector<size_t> steps;
  for (const int64_t axis : perm) {
    shape.push_back(tensor.dim(axis));
    steps.push_back(strides[static_cast<size_t>(axis)]);
  }
  Tensor out(tensor.dtype(), shape);
  std::byte* to = out.mutable_bytes();
  const size_t size = element_size(tensor.dtype());
  std::vector<int64_t> at(rank, 0);  // position in the result, counted like an odometer
  size_t from = 0;
  for (int64_t n = 0; n < out.size(); ++n) {
    std::memcpy(to + static_cast<size_t>(n) * size, tensor.bytes() + from, size);
    for (size_t i = rank; i-- > 0;) {
      from += steps[i];
      if (++at[i] < shape[i]) break;
      from -= steps[i] * static_cast<size_t>(shape[i]);
      at[i] = 0;
    }
  }
  return out;
}

void check_finite(const Tensor& f32, const std::string& value) {
  const auto values = f32.data<float>();
  const auto bad = std::ranges::find_if(values, [](float x) { return !std::isfinite(x); });
  if (bad != values.end())
    fail(ErrorCode::bad_model,
         "weight \"{}\": element {} is {}; a weight that is not finite cannot be quantized: export "
         "the model again from a healthy checkpoint",
         printable(value), bad - values.begin(), *bad);
}

void check_weight(const Tensor& weight, const std::string& value) {
  if (weight.dtype() != DType::f32)
    fail(ErrorCode::unsupported,
         "weight \"{}\" enters its product as {}, only float and its 16-bit types are quantized: "
         "export the model in FP32",
         printable(value), name(weight.dtype()));
  check_finite(weight, value);
}

}  // namespace fp8q
