// Makes the bytes of tensors part of a model, as views of mapped files. Only a payload that is not
// aligned for its type is copied.
//
// Locations of external data come from the model and are untrusted (onnx/external_file.h). Tensors
// that name the same range share it. All other ranges of a file together may not be larger than the
// file, so a small file cannot claim much memory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "base/file_bytes.h"
#include "onnx/model_files.h"
#include "onnx/proto.h"

namespace fp8q {

class Payloads {
 public:
  // Serves messages that hold their payloads themselves. External data is refused.
  Payloads() = default;
  // Serves a message that scan_model_bytes() made of `model`. `path` is the file of these bytes, as
  // the user named it. If it is empty, external data is refused.
  Payloads(std::shared_ptr<const FileBytes> model, fs::path path);

  // Holds bytes with the requested alignment.
  struct Payload {
    std::shared_ptr<const void> bytes;
    uint64_t size = 0;
  };
  // Returns the contents of raw_data, and removes them from the message if it holds them. Tensors
  // of a function that is called several times share their contents.
  Payload raw(onnx::TensorProto& proto, size_t alignment);
  // Returns the `nbytes` bytes that the tensor refers to. `what` names the tensor in messages.
  Payload external(const onnx::TensorProto& proto, uint64_t nbytes, size_t alignment,
                   const std::string& what);

  // Returns the files that payloads are views of.
  ModelFiles files() const;

 private:
  struct Source {
    std::shared_ptr<const FileBytes> file;
    uint64_t claimed = 0;
  };
  Source& source(const std::string& location);

  std::shared_ptr<const FileBytes> model_;
  fs::path path_;
  std::map<const char*, std::shared_ptr<const void>> in_model_;  // by place in the model's file
  std::map<std::string, Source> sources_;
  std::map<std::tuple<std::string, uint64_t, uint64_t>, Payload> ranges_;
};

}  // namespace fp8q
