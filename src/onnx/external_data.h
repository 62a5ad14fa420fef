// The one way by which bytes from other files become part of a model.
//
// Locations come from the model and are untrusted: they are opened beneath one folder only
// (base/file.h). Tensors that name the same range share one buffer, and all other ranges of a file
// together may not be larger than the file, so a small file cannot claim much memory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "base/file.h"
#include "onnx/load.h"
#include "onnx/proto.h"

namespace fp8q {

class ExternalData {
 public:
  // An empty folder: models with external data are refused.
  ExternalData(fs::path folder, bool follow_symlinks)
      : folder_(std::move(folder)), follow_symlinks_(follow_symlinks) {}

  // The `nbytes` bytes that the tensor refers to, aligned for any element type. `what` names the
  // tensor in messages.
  std::shared_ptr<const void> read(const onnx::TensorProto& proto, uint64_t nbytes,
                                   const std::string& what);

 private:
  struct Source {
    OpenedFile file;
    uint64_t claimed = 0;
  };
  Source& source(const std::string& location);

  fs::path folder_;
  bool follow_symlinks_;
  std::map<std::string, Source> sources_;
  std::map<std::tuple<std::string, uint64_t, uint64_t>, std::shared_ptr<const void>> ranges_;
};

}  // namespace fp8q
