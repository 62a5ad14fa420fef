// Turns NodeProto and AttributeProto into Node and Attribute.
#pragma once

#include <string>

#include "graph/model.h"
#include "onnx/payloads.h"
#include "onnx/proto.h"

namespace fp8q {

// Turns "ai.onnx", another spelling of the standard operator set, into its name "".
std::string normal_domain(const std::string& domain);

// Names a node that is not read yet in messages, like describe(const Node&).
std::string describe(const onnx::NodeProto& proto);

// Reads a node and takes the payloads out of the message.
Node read_node(onnx::NodeProto& proto, Payloads& payloads);

// Returns the unknown fields of a message, serialized.
std::string unknown_fields_of(const google::protobuf::Message& message);

}  // namespace fp8q
