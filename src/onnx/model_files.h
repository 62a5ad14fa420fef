// Holds the files that a model was loaded from, and defines the identity of a model.
//
// Statistics, plans, converted models, evaluations and checkpoints are bound to a model by its
// hash. It covers every byte that defines the model. The hash of a model in one file is the SHA-256
// of that file. If weights are in other files, it is the SHA-256 of a text of one line for each
// file: the SHA-256 of the ONNX file, and then, ordered by location, the SHA-256 of each file of
// external data, a space, and its location as the ONNX file gives it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file_bytes.h"
#include "fp8q/common.h"

namespace fp8q {

struct ExternalFile {
  std::string location;
  std::shared_ptr<const FileBytes> bytes;
};

struct ModelFiles {
  std::shared_ptr<const FileBytes> graph;  // the ONNX file
  std::vector<ExternalFile> external;      // ordered by location

  // Returns the identity and the size of all files under the name of the ONNX file. Reads all bytes
  // and gives their memory back.
  FileFacts facts(const fs::path& path) const;
  // Gives the memory of all files back. It is fetched again on the next access. There may be none.
  void release() const noexcept;
};

}  // namespace fp8q
