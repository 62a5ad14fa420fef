// A look at the bytes of a model before protobuf parses them.
//
// Protobuf accepts more than one spelling of a message, and some of it differs from reader to
// reader: a singular field that occurs twice, groups, numbers padded with zero bytes. Two programs
// could then see two models in one file, so such files are refused. The scan also bounds nesting
// and the number of parts, so that parsing can neither overflow the stack nor use memory out of
// proportion to the file.
//
// Weights are left where they are: protobuf gets the message without them and copies none.
#pragma once

#include <string>
#include <string_view>

namespace fp8q {

// How deep messages may be nested; protobuf parses with the same limit. Graphs within graphs are
// not supported, so real models need about ten.
inline constexpr int kMaxMessageDepth = 64;

// FunctionProto.attribute_proto, of IR 9: attributes with default values.
inline constexpr int kDefaultAttributesField = 11;

// The message with the place of the payload in every TensorProto.raw_data that is not empty.
// Error (bad_model): the bytes are not one well-formed ModelProto. Error (limit): too many parts.
std::string scan_model_bytes(std::string_view bytes);

// The payload of a raw_data in a message made by scan_model_bytes(bytes).
std::string_view payload_at(std::string_view bytes, const std::string& place);

}  // namespace fp8q
