#include "onnx/read_model.h"

#include <optional>
#include <unordered_set>

#include "base/error.h"
#include "graph/graph.h"
#include "onnx/functions.h"
#include "onnx/read_node.h"
#include "onnx/read_tensor.h"

namespace fp8q {
namespace {

std::map<std::string, int64_t> read_opsets(const onnx::ModelProto& proto) {
  std::map<std::string, int64_t> opsets;
  for (const auto& import : proto.opset_import())
    if (!opsets.emplace(normal_domain(import.domain()), import.version()).second)
      fail(ErrorCode::bad_model, "imports the operator set \"{}\" twice",
           printable(import.domain()));
  // Before IR 3 there was one operator set and no way to name it.
  if (opsets.empty() && proto.ir_version() < 3) opsets[""] = 1;
  const auto standard = opsets.find("");
  if (standard == opsets.end())
    fail(ErrorCode::bad_model, "does not import the standard operator set (\"ai.onnx\")");
  if (standard->second < 1 || standard->second > kNewestOpset)
    fail(ErrorCode::unsupported,
         "imports version {} of the standard operator set, 1 to {} are supported; export it with "
         "an opset among them",
         standard->second, kNewestOpset);
  return opsets;
}

std::vector<Dim> read_dims(const onnx::TensorShapeProto& proto, const std::string& what) {
  if (proto.dim_size() > kMaxRank)
    fail(ErrorCode::bad_model, "{}: has {} dimensions, at most {} are accepted", what,
         proto.dim_size(), kMaxRank);
  std::vector<Dim> dims;
  for (const auto& dim : proto.dim()) {
    Dim& read = dims.emplace_back();
    if (dim.has_dim_param()) read.parameter = dim.dim_param();
    // Some exporters write -1 for a dimension that is not fixed.
    else if (dim.has_dim_value() && dim.dim_value() >= 0) read.value = dim.dim_value();
  }
  return dims;
}

// Returns nullopt if the value is not a dense tensor of a known element type.
std::optional<ValueInfo> read_value(const onnx::ValueInfoProto& proto, const std::string& what) {
  if (!proto.type().has_tensor_type()) return std::nullopt;
  const auto& type = proto.type().tensor_type();
  const auto dtype = dtype_of_onnx_code(type.elem_type());
  if (!dtype) return std::nullopt;
  ValueInfo value{
      .name = proto.name(), .dtype = *dtype, .has_shape = type.has_shape(), .shape = {}};
  if (value.has_shape) value.shape = read_dims(type.shape(), what);
  return value;
}

ValueInfo read_argument(const onnx::ValueInfoProto& proto, const char* role) {
  const std::string what = fmt::format("graph {} \"{}\"", role, printable(proto.name()));
  if (proto.name().empty()) fail(ErrorCode::bad_model, "a graph {} has no name", role);
  if (auto value = read_value(proto, what)) return std::move(*value);
  if (proto.type().has_tensor_type())
    fail(ErrorCode::unsupported, "{}: element type {} is not supported", what,
         onnx_type_name(proto.type().tensor_type().elem_type()));
  fail(ErrorCode::unsupported,
       "{}: is not a tensor; sequences, maps, optional values and sparse tensors are not supported",
       what);
}

std::map<std::string, Tensor> read_initializers(onnx::GraphProto& proto, Payloads& payloads) {
  if (proto.sparse_initializer_size() > 0)
    fail(ErrorCode::unsupported, "initializer \"{}\": sparse tensors are not supported",
         printable(proto.sparse_initializer(0).values().name()));
  std::map<std::string, Tensor> initializers;
  for (auto& tensor : *proto.mutable_initializer()) {
    const std::string what = fmt::format("initializer \"{}\"", printable(tensor.name()));
    if (tensor.name().empty()) fail(ErrorCode::bad_model, "an initializer has no name");
    if (initializers.contains(tensor.name())) fail(ErrorCode::bad_model, "{} occurs twice", what);
    initializers.emplace(tensor.name(), read_tensor(tensor, what, payloads));
  }
  return initializers;
}

void read_values(const onnx::GraphProto& proto, Graph& graph) {
  std::unordered_set<std::string> seen;
  for (const auto& input : proto.input()) {
    if (!seen.insert(input.name()).second)
      fail(ErrorCode::bad_model, "graph input \"{}\" occurs twice", printable(input.name()));
    if (!graph.initializers.contains(input.name()))
      graph.inputs.push_back(read_argument(input, "input"));
  }
  seen.clear();
  for (const auto& output : proto.output()) {
    if (!seen.insert(output.name()).second)
      fail(ErrorCode::bad_model, "graph output \"{}\" occurs twice", printable(output.name()));
    graph.outputs.push_back(read_argument(output, "output"));
  }
  for (const auto& info : proto.value_info()) {
    const std::string what = fmt::format("value \"{}\"", printable(info.name()));
    if (auto value = read_value(info, what)) graph.value_info.push_back(std::move(*value));
  }
}

Graph read_graph(onnx::GraphProto& proto, Payloads& payloads) {
  Graph graph;
  graph.name = proto.name();
  graph.doc = proto.doc_string();
  graph.initializers = read_initializers(proto, payloads);
  read_values(proto, graph);
  graph.nodes.reserve(static_cast<size_t>(proto.node_size()));
  for (auto& node : *proto.mutable_node()) graph.nodes.push_back(read_node(node, payloads));
  sort_topologically(graph);
  return graph;
}

// Returns the fields that Model has no place for, as a ModelProto of their own (load.h).
std::string remainder(onnx::ModelProto& proto) {
  onnx::ModelProto rest;
  rest.MergeFromString(take_other_fields(proto, onnx::ModelProto::kFunctionsFieldNumber));
  const std::string in_graph =
      take_other_fields(*proto.mutable_graph(), onnx::GraphProto::kSparseInitializerFieldNumber);
  if (!in_graph.empty()) rest.mutable_graph()->MergeFromString(in_graph);
  for (const auto& annotation : proto.graph().quantization_annotation())
    *rest.mutable_graph()->add_quantization_annotation() = annotation;
  return rest.SerializeAsString();
}

}  // namespace

Model read_model(onnx::ModelProto& proto, Payloads& payloads) {
  if (proto.ir_version() < 1)
    fail(ErrorCode::bad_model, "has no valid IR version ({})", proto.ir_version());
  if (proto.training_info_size() > 0)
    fail(ErrorCode::unsupported, "holds training information; export the model for inference");
  Model model;
  model.ir_version = proto.ir_version();
  model.opsets = read_opsets(proto);
  model.producer_name = proto.producer_name();
  model.producer_version = proto.producer_version();
  model.domain = proto.domain();
  model.model_version = proto.model_version();
  model.doc = proto.doc_string();
  for (const auto& entry : proto.metadata_props())
    if (!model.metadata.emplace(entry.key(), entry.value()).second)
      fail(ErrorCode::bad_model, "metadata \"{}\" occurs twice", printable(entry.key()));
  model.unknown_fields = remainder(proto);
  inline_functions(proto, model.opsets);
  model.graph = read_graph(*proto.mutable_graph(), payloads);
  for (const auto& node : model.graph.nodes)
    if (!model.opsets.contains(node.domain))
      fail(ErrorCode::bad_model, "{}: the model does not import the operator set \"{}\"",
           describe(node), printable(node.domain));
  return model;
}

}  // namespace fp8q
