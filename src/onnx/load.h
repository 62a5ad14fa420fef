// Reads ONNX models.
//
// A model file is untrusted input. Whatever it holds, reading ends in a Model that obeys the rules
// below or in an Error that names the file, the node or tensor, and what to do.
//
// The rules for a loaded Model:
// - Value names are unique and made once; nodes are topologically ordered; every payload has
//   exactly the bytes that its type and shape ask for, whatever field or file held them.
// - Domain "ai.onnx" is written "". Nodes of other domains are kept; the code that runs the model
//   decides about them.
// - Model-local functions are inlined; their nodes are named "<call>/<node>".
// - Initializers are constants. An initializer that is also listed as an input (a rule before IR 4,
//   a default value since) is removed from the inputs.
// - Payloads are views of mapped files. The files are part of the model as long as it exists, and
//   nobody may write into them (base/file_bytes.h). Replacing them is fine.
// - Constant nodes stay nodes. NaN and Inf in weights are legal here.
// - Model::unknown_fields is a serialized ModelProto with only the fields that the rest of Model
//   has no place for (quantization annotations, unknown fields of the model and of the graph).
//
// The reader drops the documentation of single attributes, values and tensors, and the types of
// intermediate values that are not dense tensors of a known element type.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file_bytes.h"
#include "graph/model.h"
#include "onnx/model_files.h"

namespace fp8q {

namespace fs = std::filesystem;

// This is the limit of protobuf. Larger models keep their weights as external data.
inline constexpr uint64_t kMaxModelBytes = (uint64_t{1} << 31) - 1;

// Throws an Error (file) if the file cannot be read, an Error (limit) if it has 2 GiB or more, an
// Error (bad_model) if it breaks the rules, or an Error (unsupported).
Model load_model(const fs::path& path);

// Holds a model together with the files that its payloads are views of.
struct LoadedModel {
  Model model;
  ModelFiles files;
};
LoadedModel load_model_with_files(const fs::path& path);

// Loads a model from bytes in memory. `name` stands for the file in messages. External data is
// refused.
LoadedModel parse_model(std::shared_ptr<const FileBytes> bytes, const std::string& name);
Model parse_model(std::string bytes, const std::string& name);

// Returns the files of external data that the model names, whether they are there or not, without
// reading any weights. Returns none if the file is not a model.
std::vector<fs::path> external_files_of(const fs::path& path);

}  // namespace fp8q
