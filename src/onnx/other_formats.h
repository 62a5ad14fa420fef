// Recognizes files that are passed instead of an ONNX model, so that the message can name their
// format and a remedy.
#pragma once

#include <string>
#include <string_view>

namespace fp8q {

// Returns "a Git-LFS pointer ...; fetch it with ...", or an empty text if the format is not known.
std::string other_format(std::string_view bytes);

}  // namespace fp8q
