// Checks the bytes of a model before protobuf parses them.
//
// Protobuf accepts more than one encoding of a message, and readers disagree about some of them: a
// singular field that occurs twice, groups, numbers padded with zero bytes. Two programs could then
// see two models in one file, so such files are refused. The scan also limits nesting and the
// number of parts, so that parsing can neither overflow the stack nor use memory out of proportion
// to the file.
//
// Weights stay in place: protobuf gets the message without them and copies none.
#pragma once

#include <string>
#include <string_view>

namespace fp8q {

// Messages may nest this deeply, also in protobuf's parser. Graphs within graphs are not supported,
// so real models need about ten levels.
inline constexpr int kMaxMessageDepth = 64;

// This is FunctionProto.attribute_proto, of IR 9. It holds attributes with default values.
inline constexpr int kDefaultAttributesField = 11;

// Returns the message with the position of the payload in every TensorProto.raw_data that is not
// empty. Throws an Error (bad_model) if the bytes are not one well-formed ModelProto, and an Error
// (limit) if there are too many parts.
std::string scan_model_bytes(std::string_view bytes);

// Returns the payload of a raw_data in a message made by scan_model_bytes(bytes).
std::string_view payload_at(std::string_view bytes, const std::string& place);

}  // namespace fp8q
