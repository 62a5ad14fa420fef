// The ways by which the bytes of tensors become part of a model: as views of the files they stand
// in, which are mapped. Only what is not aligned for its type is copied.
//
// Locations of external data come from the model and are untrusted: they are opened beneath one
// folder only (base/file.h). Tensors that name the same range share it, and all other ranges of a
// file together may not be larger than the file, so a small file cannot claim much memory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/file_bytes.h"
#include "onnx/load.h"
#include "onnx/proto.h"

namespace fp8q {

class Payloads {
 public:
  // Of messages that hold their payloads themselves; external data is refused.
  Payloads() = default;
  // Of a message that scan_model_bytes() made of `model`. An empty folder: external data is
  // refused.
  Payloads(std::shared_ptr<const FileBytes> model, fs::path folder, bool follow_symlinks);

  // Bytes, aligned as asked.
  struct Payload {
    std::shared_ptr<const void> bytes;
    uint64_t size = 0;
  };
  // What raw_data holds; taken out of the message where it stands there.
  Payload raw(onnx::TensorProto& proto, size_t alignment) const;
  // The `nbytes` bytes that the tensor refers to. `what` names the tensor in messages.
  Payload external(const onnx::TensorProto& proto, uint64_t nbytes, size_t alignment,
                   const std::string& what);

  // The files that payloads are views of.
  std::vector<std::shared_ptr<const FileBytes>> files() const;

 private:
  struct Source {
    std::shared_ptr<const FileBytes> file;
    uint64_t claimed = 0;
  };
  Source& source(const std::string& location);

  std::shared_ptr<const FileBytes> model_;
  fs::path folder_;
  bool follow_symlinks_ = false;
  std::map<std::string, Source> sources_;
  std::map<std::tuple<std::string, uint64_t, uint64_t>, Payload> ranges_;
};

}  // namespace fp8q
