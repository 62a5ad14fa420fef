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

// Takes the fields that fp8q has no place for out of a message, and returns them serialized. These
// are the fields that the ONNX library does not know, and those above number `last`, which its
// newer versions know.
std::string take_other_fields(google::protobuf::Message& message, int last);

}  // namespace fp8q
