#include "onnx/read_node.h"

#include <google/protobuf/message.h>

#include <memory>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"
#include "onnx/read_tensor.h"

namespace fp8q {
namespace {

using Type = onnx::AttributeProto_AttributeType;

// Returns the type whose field is filled, since files before IR 2 do not declare it. Throws an
// Error if several fields are filled.
Type filled_type(const onnx::AttributeProto& proto, const std::string& what) {
  Type found = onnx::AttributeProto_AttributeType_UNDEFINED;
  const auto consider = [&](bool filled, Type type) {
    if (!filled) return;
    if (found != onnx::AttributeProto_AttributeType_UNDEFINED)
      fail(ErrorCode::bad_model, "{}: has more than one value", what);
    found = type;
  };
  consider(proto.has_i(), onnx::AttributeProto_AttributeType_INT);
  consider(proto.has_f(), onnx::AttributeProto_AttributeType_FLOAT);
  consider(proto.has_s(), onnx::AttributeProto_AttributeType_STRING);
  consider(proto.has_t(), onnx::AttributeProto_AttributeType_TENSOR);
  consider(proto.has_g(), onnx::AttributeProto_AttributeType_GRAPH);
  consider(proto.has_sparse_tensor(), onnx::AttributeProto_AttributeType_SPARSE_TENSOR);
  consider(proto.has_tp(), onnx::AttributeProto_AttributeType_TYPE_PROTO);
  consider(proto.ints_size() > 0, onnx::AttributeProto_AttributeType_INTS);
  consider(proto.floats_size() > 0, onnx::AttributeProto_AttributeType_FLOATS);
  consider(proto.strings_size() > 0, onnx::AttributeProto_AttributeType_STRINGS);
  consider(proto.tensors_size() > 0, onnx::AttributeProto_AttributeType_TENSORS);
  consider(proto.graphs_size() > 0, onnx::AttributeProto_AttributeType_GRAPHS);
  consider(proto.sparse_tensors_size() > 0, onnx::AttributeProto_AttributeType_SPARSE_TENSORS);
  consider(proto.type_protos_size() > 0, onnx::AttributeProto_AttributeType_TYPE_PROTOS);
  return found;
}

Type type_of(const onnx::AttributeProto& proto, const std::string& what) {
  const Type filled = filled_type(proto, what);
  if (!proto.has_type() || proto.type() == onnx::AttributeProto_AttributeType_UNDEFINED)
    return filled;
  // An absent value is the default (0, "", no elements), which some writers leave out.
  if (filled != onnx::AttributeProto_AttributeType_UNDEFINED && filled != proto.type())
    fail(ErrorCode::bad_model, "{}: is declared as {} but holds {}", what,
         onnx::AttributeProto_AttributeType_Name(proto.type()),
         onnx::AttributeProto_AttributeType_Name(filled));
  return proto.type();
}

Attribute read_attribute(onnx::AttributeProto& proto, const std::string& what, Payloads& payloads) {
  if (!proto.ref_attr_name().empty())
    fail(ErrorCode::bad_model, "{}: refers to an attribute of a function, outside of one", what);
  switch (const Type type = type_of(proto, what)) {
    case onnx::AttributeProto_AttributeType_INT:
      return proto.i();
    case onnx::AttributeProto_AttributeType_FLOAT:
      return proto.f();
    case onnx::AttributeProto_AttributeType_STRING:
      return std::move(*proto.mutable_s());
    case onnx::AttributeProto_AttributeType_TENSOR:
      return read_tensor(*proto.mutable_t(), what, payloads);
    case onnx::AttributeProto_AttributeType_INTS:
      return std::vector<int64_t>(proto.ints().begin(), proto.ints().end());
    case onnx::AttributeProto_AttributeType_FLOATS:
      return std::vector<float>(proto.floats().begin(), proto.floats().end());
    case onnx::AttributeProto_AttributeType_STRINGS:
      return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
    case onnx::AttributeProto_AttributeType_UNDEFINED:
      fail(ErrorCode::bad_model, "{}: has neither type nor value", what);
    case onnx::AttributeProto_AttributeType_GRAPH:
    case onnx::AttributeProto_AttributeType_GRAPHS:
      fail(ErrorCode::unsupported,
           "{}: holds a graph; control flow (If, Loop, Scan) is not supported. Export the model "
           "for inference, without control flow",
           what);
    default:
      fail(ErrorCode::unsupported, "{}: attributes of type {} are not supported", what,
           onnx::AttributeProto_AttributeType_Name(type));
  }
}

}  // namespace

std::string normal_domain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

std::string describe(const onnx::NodeProto& proto) {
  Node node;
  node.op_type = proto.op_type();
  node.domain = normal_domain(proto.domain());
  node.name = proto.name();
  node.outputs.assign(proto.output().begin(), proto.output().end());
  return describe(node);
}

Node read_node(onnx::NodeProto& proto, Payloads& payloads) {
  Node node;
  node.op_type = proto.op_type();
  node.domain = normal_domain(proto.domain());
  node.name = proto.name();
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  node.doc = proto.doc_string();
  node.unknown_fields = take_other_fields(proto, onnx::NodeProto::kDomainFieldNumber);
  if (node.op_type.empty())
    fail(ErrorCode::bad_model, "node \"{}\" has no operator", printable(node.name));
  const std::string described = describe(node);
  for (auto& attribute : *proto.mutable_attribute()) {
    const std::string what =
        fmt::format("{}: attribute \"{}\"", described, printable(attribute.name()));
    if (node.attributes.contains(attribute.name()))
      fail(ErrorCode::bad_model, "{} occurs twice", what);
    node.attributes.emplace(attribute.name(), read_attribute(attribute, what, payloads));
  }
  return node;
}

std::string take_other_fields(google::protobuf::Message& message, int last) {
  const auto& reflection = *message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> newer;
  reflection.ListFields(message, &newer);
  std::erase_if(newer, [&](const auto* field) { return field->number() <= last; });
  const auto& unknown = reflection.GetUnknownFields(message);
  if (newer.empty() && unknown.empty()) return {};
  const std::unique_ptr<google::protobuf::Message> others(message.New());
  reflection.SwapFields(&message, others.get(), newer);
  reflection.MutableUnknownFields(others.get())->Swap(reflection.MutableUnknownFields(&message));
  return others->SerializeAsString();
}

}  // namespace fp8q
