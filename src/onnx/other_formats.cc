#include "onnx/other_formats.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace fp8q {
namespace {

using namespace std::string_view_literals;

struct Signature {
  size_t offset;
  std::string_view magic;
  std::string_view meaning;
};

constexpr std::array kSignatures = {
    Signature{0, "version https://git-lfs"sv,
              "a Git-LFS pointer, which stands for the model; run \"git lfs pull\" to fetch it"},
    Signature{0, "<"sv, "a web page or an XML file; the download probably ended on an error page"},
    Signature{
        0, "PK\x03\x04"sv,
        "a zip archive, as PyTorch writes them; export the model to ONNX first, or unpack it"},
    Signature{0, "\x80\x02"sv, "a Python pickle, as PyTorch writes them; export the model to ONNX"},
    Signature{0, "\x89HDF"sv, "an HDF5 file, as Keras writes them; export the model to ONNX"},
    Signature{0, "GGUF"sv, "a GGUF file; export the original model to ONNX"},
    Signature{4, "ORTM"sv, "an onnxruntime .ort file; use the .onnx file that it was made from"},
    Signature{4, "TFL3"sv, "a TensorFlow Lite file; export the original model to ONNX"},
    Signature{0, "\x1F\x8B"sv, "a gzip archive; unpack it"},
    Signature{0, "\xFD\x37zXZ"sv, "an xz archive; unpack it"},
    Signature{0, "{"sv, "a JSON file"},
};

// The file starts with an 8-byte header length, then a JSON object.
bool is_safetensors(std::string_view bytes) {
  uint64_t header = 0;
  if (bytes.size() < sizeof(header) + 2) return false;
  std::memcpy(&header, bytes.data(), sizeof(header));
  return header <= bytes.size() - sizeof(header) && bytes[8] == '{';
}

}  // namespace

std::string other_format(std::string_view bytes) {
  if (is_safetensors(bytes))
    return "a safetensors file, which holds weights but no graph; export the model to ONNX "
           "(optimum-cli export onnx --model FOLDER OUT/)";
  for (const auto& [offset, magic, meaning] : kSignatures)
    if (bytes.size() >= offset && bytes.substr(offset, magic.size()) == magic)
      return std::string(meaning);
  return {};
}

}  // namespace fp8q
