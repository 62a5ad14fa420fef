#include "unit/encoder/graph_builder.h"

namespace fp8q::test {

GraphBuilder::GraphBuilder(int64_t opset) : opset_(opset) {
  model_.ir_version = 10;
  model_.opsets[""] = opset;
}

std::string GraphBuilder::input(DType dtype, std::vector<Dim> shape) {
  ValueInfo info;
  info.name = fresh();
  info.dtype = dtype;
  info.has_shape = true;
  info.shape = std::move(shape);
  model_.graph.inputs.push_back(info);
  return info.name;
}

std::string GraphBuilder::op(const std::string& type, const Names& inputs,
                             const Attributes& attributes) {
  return ops(type, inputs, 1, attributes)[0];
}

GraphBuilder::Names GraphBuilder::ops(const std::string& type, const Names& inputs, size_t outputs,
                                      const Attributes& attributes) {
  Node node;
  node.op_type = type;
  node.inputs = inputs;
  node.attributes = attributes;
  for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(fresh());
  model_.graph.nodes.push_back(node);
  return node.outputs;
}

std::string GraphBuilder::constant(Tensor tensor) {
  const std::string name = fresh();
  model_.graph.initializers.emplace(name, std::move(tensor));
  return name;
}

std::string GraphBuilder::node_constant(Tensor tensor) {
  return op("Constant", {}, {{"value", std::move(tensor)}});
}

std::string GraphBuilder::ints(const std::vector<int64_t>& values) {
  return constant(Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
}

Tensor GraphBuilder::random_tensor(const Shape& shape, float size, float offset) {
  Tensor tensor(DType::f32, shape);
  for (float& value : tensor.mutable_data<float>()) {
    state_ = state_ * 1664525u + 1013904223u;
    value = offset + size * (static_cast<float>(state_ >> 8) / float{1 << 23} - 1.0f);
  }
  return tensor;
}

std::string GraphBuilder::random(const Shape& shape, float size, float offset) {
  return constant(random_tensor(shape, size, offset));
}

std::string GraphBuilder::mean(const std::string& x) {
  if (opset_ >= 18) return op("ReduceMean", {x, ints({-1})}, {{"keepdims", int64_t{1}}});
  return op("ReduceMean", {x}, {{"axes", std::vector<int64_t>{-1}}});
}

std::string GraphBuilder::reduce(const std::string& type, const std::string& x, int64_t axis,
                                 bool keep) {
  const Attribute kept = int64_t{keep};
  if (opset_ >= (type == "ReduceSum" ? 13 : 18))
    return op(type, {x, ints({axis})}, {{"keepdims", kept}});
  return op(type, {x}, {{"axes", std::vector<int64_t>{axis}}, {"keepdims", kept}});
}

std::string GraphBuilder::unsqueeze(const std::string& x, int64_t axis) {
  if (opset_ >= 13) return op("Unsqueeze", {x, ints({axis})});
  return op("Unsqueeze", {x}, {{"axes", std::vector<int64_t>{axis}}});
}

std::string GraphBuilder::squeeze(const std::string& x, int64_t axis) {
  if (opset_ >= 13) return op("Squeeze", {x, ints({axis})});
  return op("Squeeze", {x}, {{"axes", std::vector<int64_t>{axis}}});
}

std::string GraphBuilder::slice(const std::string& x, const std::string& start,
                                const std::string& end, int64_t axis) {
  return op("Slice", {x, start, end, ints({axis}), ints({1})});
}

std::string GraphBuilder::dim(const std::string& x, int64_t axis) {
  return op("Gather", {op("Shape", {x}), index(axis)}, {{"axis", int64_t{0}}});
}

std::string GraphBuilder::dim_as_list(const std::string& x, int64_t axis) {
  return unsqueeze(dim(x, axis), 0);
}

std::string GraphBuilder::cast(const std::string& x, DType to) {
  return op("Cast", {x}, {{"to", static_cast<int64_t>(to)}});
}

std::string GraphBuilder::reshape(const std::string& x, const Names& dims) {
  const std::string shape = dims.size() == 1 ? dims[0] : op("Concat", dims, {{"axis", int64_t{0}}});
  return op("Reshape", {x, shape});
}

std::string GraphBuilder::transpose(const std::string& x, std::vector<int64_t> perm) {
  return op("Transpose", {x}, {{"perm", std::move(perm)}});
}

Model GraphBuilder::finish(const Names& outputs) {
  for (const auto& output : outputs) {
    ValueInfo info;
    info.name = output;
    model_.graph.outputs.push_back(info);
  }
  return model_;
}

}  // namespace fp8q::test
