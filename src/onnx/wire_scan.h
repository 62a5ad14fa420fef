// A look at the bytes of a model before protobuf parses them.
//
// Protobuf accepts more than one spelling of a message, and some of it differs from reader to
// reader: a singular field that occurs twice, groups, numbers padded with zero bytes. Two programs
// could then see two models in one file, so such files are refused. The scan also bounds nesting
// and the number of parts, so that parsing can neither overflow the stack nor use memory out of
// proportion to the file.
#pragma once

#include <string_view>

namespace fp8q {

// How deep messages may be nested; protobuf parses with the same limit. Graphs within graphs are
// not supported, so real models need about ten.
inline constexpr int kMaxMessageDepth = 64;

// Error (bad_model): the bytes are not one well-formed ModelProto. Error (limit): too many parts.
void scan_model_bytes(std::string_view bytes);

}  // namespace fp8q
