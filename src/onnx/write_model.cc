#include "onnx/write_model.h"

#include <type_traits>

#include "base/error.h"
#include "graph/graph.h"
#include "onnx/proto.h"

namespace fp8q {
namespace {

constexpr uint32_t kLengthDelimited = 2;  // wire type
constexpr uint64_t kMaxMessageBytes = (uint64_t{1} << 31) - 1;

void append_varint(std::string& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<char>(value | 0x80));
  to.push_back(static_cast<char>(value));
}

// Appends the start of a length-delimited field.
void append_field(std::string& to, int number, uint64_t length) {
  append_varint(to, static_cast<uint64_t>(number) << 3 | kLengthDelimited);
  append_varint(to, length);
}

std::string serialize(const google::protobuf::Message& message) {
  if (message.ByteSizeLong() > kMaxMessageBytes)
    fail(ErrorCode::limit, "the nodes of the model take more than {} bytes", kMaxMessageBytes);
  return message.SerializeAsString();
}

void write_type(const Tensor& tensor, onnx::TensorProto& proto) {
  for (const int64_t dim : tensor.shape()) proto.add_dims(dim);
  proto.set_data_type(static_cast<int>(tensor.dtype()));
}

void write_attribute(const Attribute& attribute, onnx::AttributeProto& proto) {
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, int64_t>) {
          proto.set_type(onnx::AttributeProto_AttributeType_INT);
          proto.set_i(value);
        } else if constexpr (std::is_same_v<T, float>) {
          proto.set_type(onnx::AttributeProto_AttributeType_FLOAT);
          proto.set_f(value);
        } else if constexpr (std::is_same_v<T, std::string>) {
          proto.set_type(onnx::AttributeProto_AttributeType_STRING);
          proto.set_s(value);
        } else if constexpr (std::is_same_v<T, Tensor>) {
          proto.set_type(onnx::AttributeProto_AttributeType_TENSOR);
          write_type(value, *proto.mutable_t());
          proto.mutable_t()->set_raw_data(value.bytes(), value.nbytes());
        } else if constexpr (std::is_same_v<T, std::vector<int64_t>>) {
          proto.set_type(onnx::AttributeProto_AttributeType_INTS);
          proto.mutable_ints()->Assign(value.begin(), value.end());
        } else if constexpr (std::is_same_v<T, std::vector<float>>) {
          proto.set_type(onnx::AttributeProto_AttributeType_FLOATS);
          proto.mutable_floats()->Assign(value.begin(), value.end());
        } else {
          static_assert(std::is_same_v<T, std::vector<std::string>>);
          proto.set_type(onnx::AttributeProto_AttributeType_STRINGS);
          proto.mutable_strings()->Assign(value.begin(), value.end());
        }
      },
      attribute);
}

void write_node(const Node& node, onnx::NodeProto& proto) {
  proto.MergeFromString(node.unknown_fields);
  proto.mutable_input()->Assign(node.inputs.begin(), node.inputs.end());
  proto.mutable_output()->Assign(node.outputs.begin(), node.outputs.end());
  if (!node.name.empty()) proto.set_name(node.name);
  proto.set_op_type(node.op_type);
  if (!node.domain.empty()) proto.set_domain(node.domain);
  if (!node.doc.empty()) proto.set_doc_string(node.doc);
  for (const auto& [name, attribute] : node.attributes) {
    auto& written = *proto.add_attribute();
    written.set_name(name);
    write_attribute(attribute, written);
  }
}

void write_value(const ValueInfo& value, onnx::ValueInfoProto& proto) {
  proto.set_name(value.name);
  auto& type = *proto.mutable_type()->mutable_tensor_type();
  type.set_elem_type(static_cast<int>(value.dtype));
  if (!value.has_shape) return;
  auto& shape = *type.mutable_shape();
  for (const Dim& dim : value.shape) {
    auto& written = *shape.add_dim();
    if (dim.value >= 0) written.set_dim_value(dim.value);
    else if (!dim.parameter.empty()) written.set_dim_param(dim.parameter);
  }
}

// Before IR 4 every initializer had to be an input too.
void write_initializers_as_inputs(const Graph& graph, onnx::GraphProto& proto) {
  for (const auto& [name, tensor] : graph.initializers) {
    ValueInfo value{.name = name, .dtype = tensor.dtype(), .has_shape = true, .shape = {}};
    for (const int64_t dim : tensor.shape())
      value.shape.push_back(Dim{.value = dim, .parameter = {}});
    write_value(value, *proto.add_input());
  }
}

// The nodes of a call are "<call>/<node>", one after another; the call replaces them.
void write_nodes(const Model& model, onnx::GraphProto& proto) {
  std::map<std::string_view, const Node*> calls;
  for (const LocalFunction& function : model.functions)
    for (const Node& call : function.calls) calls[call.name] = &call;
  const Node* written = nullptr;
  for (const Node& node : model.graph.nodes) {
    const std::string_view name = node.name;
    const auto call = calls.find(name.substr(0, name.rfind('/')));
    if (call == calls.end()) write_node(node, *proto.add_node());
    else if (call->second != written) write_node(*(written = call->second), *proto.add_node());
  }
}

void write_function(const LocalFunction& function, int64_t opset, onnx::FunctionProto& proto) {
  proto.set_domain(function.domain);
  proto.set_name(function.name);
  proto.mutable_input()->Assign(function.inputs.begin(), function.inputs.end());
  proto.mutable_output()->Assign(function.outputs.begin(), function.outputs.end());
  for (const Node& node : function.body) write_node(node, *proto.add_node());
  auto& import = *proto.add_opset_import();
  import.set_domain("");
  import.set_version(opset);
}

// Writes everything but the initializers.
void write_graph(const Model& model, onnx::GraphProto& proto) {
  const Graph& graph = model.graph;
  write_nodes(model, proto);
  proto.set_name(graph.name);
  if (!graph.doc.empty()) proto.set_doc_string(graph.doc);
  for (const auto& input : graph.inputs) write_value(input, *proto.add_input());
  if (model.ir_version < 4) write_initializers_as_inputs(graph, proto);
  for (const auto& output : graph.outputs) write_value(output, *proto.add_output());
  for (const auto& value : graph.value_info) write_value(value, *proto.add_value_info());
}

// Writes everything but the graph.
void write_header(const Model& model, onnx::ModelProto& proto) {
  proto.set_ir_version(model.ir_version);
  for (const auto& [domain, version] : model.opsets) {
    auto& import = *proto.add_opset_import();
    import.set_domain(domain);
    import.set_version(version);
  }
  if (!model.producer_name.empty()) proto.set_producer_name(model.producer_name);
  if (!model.producer_version.empty()) proto.set_producer_version(model.producer_version);
  if (!model.domain.empty()) proto.set_domain(model.domain);
  if (model.model_version != 0) proto.set_model_version(model.model_version);
  if (!model.doc.empty()) proto.set_doc_string(model.doc);
  for (const auto& [key, value] : model.metadata) {
    auto& entry = *proto.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  for (const LocalFunction& function : model.functions)
    if (!function.calls.empty()) write_function(function, model.opset(), *proto.add_functions());
}

void add_external(onnx::TensorProto& proto, const std::string& key, const std::string& value) {
  auto& entry = *proto.add_external_data();
  entry.set_key(key);
  entry.set_value(value);
}

ModelBytes::Piece layout_initializer(const std::string& name, const Tensor& tensor,
                                     const ExternalPlace* place) {
  onnx::TensorProto proto;
  write_type(tensor, proto);
  proto.set_name(name);
  if (place) {
    proto.set_data_location(onnx::TensorProto_DataLocation_EXTERNAL);
    add_external(proto, "location", place->file);
    add_external(proto, "offset", std::to_string(place->offset));
    add_external(proto, "length", std::to_string(tensor.nbytes()));
  }
  std::string fields = proto.SerializeAsString();
  if (!place) append_field(fields, onnx::TensorProto::kRawDataFieldNumber, tensor.nbytes());
  const uint64_t payload = place ? 0 : tensor.nbytes();
  std::string framed;
  append_field(framed, onnx::GraphProto::kInitializerFieldNumber, fields.size() + payload);
  return {framed + fields, place ? nullptr : &tensor};
}

}  // namespace

ModelBytes layout_model(const Model& model, const std::map<std::string, ExternalPlace>& external) {
  ModelBytes bytes;
  onnx::ModelProto proto;
  proto.MergeFromString(model.unknown_fields);
  onnx::GraphProto graph;
  graph.Swap(proto.mutable_graph());
  proto.clear_graph();
  write_header(model, proto);
  write_graph(model, graph);

  uint64_t initializer_bytes = 0;
  for (const auto& [name, tensor] : model.graph.initializers) {
    const auto place = external.find(name);
    bytes.initializers.push_back(
        layout_initializer(name, tensor, place == external.end() ? nullptr : &place->second));
    const auto& piece = bytes.initializers.back();
    initializer_bytes += piece.fields.size() + (piece.payload ? piece.payload->nbytes() : 0);
  }
  const std::string graph_fields = serialize(graph);
  bytes.head = serialize(proto);
  append_field(bytes.head, onnx::ModelProto::kGraphFieldNumber,
               graph_fields.size() + initializer_bytes);
  bytes.head += graph_fields;
  bytes.size = bytes.head.size() + initializer_bytes;
  return bytes;
}

}  // namespace fp8q
