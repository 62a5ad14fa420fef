// Writes ONNX models.
//
// The bytes depend only on the model: initializers are ordered by name and stored as raw_data. A
// model appears under its name only when it is complete and has been read back and compared.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "graph/model.h"
#include "onnx/model_files.h"

namespace fp8q {

namespace fs = std::filesystem;

struct SaveOptions {
  // A model whose message would be larger keeps its initializers in a second file
  // "<stem>.<hash>.data". The default is protobuf's own limit; smaller values are for tests.
  uint64_t max_proto_bytes = (uint64_t{1} << 31) - 1;
};

// The model must obey the rules in load.h (names unique, nodes ordered). Calls of its functions are
// written as calls, beside the functions; reading expands them to the same nodes again. The write
// is atomic; the data file, if any, is durable before the model is renamed into place. The caller
// checks that the target is not the input. Returns the files that were written. Throws an Error
// (file), an Error (limit) if the model is too large even without initializers, or an Error
// (internal) if it does not read back the same.
ModelFiles save_model(const Model& model, const fs::path& path, const SaveOptions& options = {});

// Returns the same bytes in memory, always as one message. Throws an Error (limit) if they are 2
// GiB or more.
std::string serialize_model(const Model& model);

// Describes where two models differ. Returns nullopt if they are the same, payloads bit by bit.
std::optional<std::string> first_difference(const Model& a, const Model& b);

}  // namespace fp8q
