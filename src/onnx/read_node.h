// NodeProto and AttributeProto -> Node, Attribute.
#pragma once

#include <string>

#include "graph/model.h"
#include "onnx/payloads.h"
#include "onnx/proto.h"

namespace fp8q {

// "ai.onnx" is another spelling of the standard operator set's name "".
std::string normal_domain(const std::string& domain);

// How a message names a node that is not read yet; as describe(const Node&).
std::string describe(const onnx::NodeProto& proto);

// Takes the payloads out of the message.
Node read_node(onnx::NodeProto& proto, Payloads& payloads);

// The unknown fields of a message, serialized.
std::string unknown_fields_of(const google::protobuf::Message& message);

}  // namespace fp8q
