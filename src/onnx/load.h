// Reading ONNX models.
//
// A model file is untrusted input: whatever it holds, reading ends in a Model that obeys the rules
// below or in an Error that names the file, the node or tensor, and what to do.
//
// What a loaded Model is:
// - Value names are unique and made once; nodes are topologically ordered; every payload has
//   exactly the bytes that its type and shape ask for, whatever field or file held them.
// - Domain "ai.onnx" is written "". Nodes of other domains are kept; who runs them decides.
// - Model-local functions are inlined; their nodes are named "<call>/<node>".
// - Initializers are constants: an initializer that is listed as an input too (the rule before IR
// 4,
//   a default value since) is removed from the inputs.
// - Payloads are views of the files they stand in, which are mapped: of these the model is a part
//   until it is gone, and nobody may write into them (base/file_bytes.h). Replacing them is fine.
// - Constant nodes stay nodes. NaN and Inf in weights are legal here.
// - Model::unknown_fields is a serialized ModelProto with only the fields that the rest of Model
//   has no place for (quantization annotations, unknown fields of the model and of the graph).
// Not kept: documentation of single attributes, values and tensors; types of intermediate values
// that are not dense tensors of a known element type.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file_bytes.h"
#include "graph/model.h"

namespace fp8q {

namespace fs = std::filesystem;

// What protobuf can hold; larger models keep their weights as external data.
inline constexpr uint64_t kMaxModelBytes = (uint64_t{1} << 31) - 1;

struct LoadOptions {
  // Where external data is looked for; empty: the folder of the model.
  fs::path external_data_folder;
  // Accept external data files that are symbolic links, as in the caches of model hubs. Their
  // names must still be relative and without "..".
  bool follow_symlinks = false;
};

// Errors: file (cannot be read), limit (2 GiB or more), bad_model, unsupported.
Model load_model(const fs::path& path, const LoadOptions& options = {});

// A model with the files that its payloads are views of.
struct LoadedModel {
  Model model;
  std::vector<std::shared_ptr<const FileBytes>> files;
};

// The same from bytes that are there. `name` stands for the file in messages. External data is
// refused unless options.external_data_folder says where it is.
LoadedModel parse_model(std::shared_ptr<const FileBytes> bytes, const std::string& name,
                        const LoadOptions& options = {});
Model parse_model(std::string bytes, const std::string& name, const LoadOptions& options = {});

}  // namespace fp8q
