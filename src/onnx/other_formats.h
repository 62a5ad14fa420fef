// Recognizes files that are given instead of an ONNX model, so that the message can say what they
// are and what to do.
#pragma once

#include <string>
#include <string_view>

namespace fp8q {

// "a Git-LFS pointer ...; fetch it with ..."; empty where the format is not known.
std::string other_format(std::string_view bytes);

}  // namespace fp8q
