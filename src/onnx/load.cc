#include "onnx/load.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>

#include "base/error.h"
#include "base/file.h"
#include "onnx/external_data.h"
#include "onnx/other_formats.h"
#include "onnx/proto.h"
#include "onnx/read_model.h"
#include "onnx/wire_scan.h"

namespace fp8q {
namespace {

// Protobuf's own limit of a message.

onnx::ModelProto parse_proto(const std::string& bytes) {
  if (bytes.empty()) fail(ErrorCode::bad_model, "is empty (0 bytes)");
  const std::string other = other_format(bytes);
  if (!other.empty()) fail(ErrorCode::bad_model, "is not an ONNX model but {}", other);
  try {
    scan_model_bytes(bytes);
  } catch (const Error& error) {
    throw error.with_context("is not a valid ONNX model");
  }
  const google::protobuf::LogSilencer silence;  // a library prints nothing
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                                            static_cast<int>(bytes.size()));
  in.SetRecursionLimit(kMaxMessageDepth);
  onnx::ModelProto proto;
  if (!proto.ParseFromCodedStream(&in) || !in.ConsumedEntireMessage())
    fail(ErrorCode::bad_model, "is not a valid ONNX model: a message is malformed");
  if (!proto.has_graph())
    fail(ErrorCode::bad_model, "is not an ONNX model, or one without a graph");
  return proto;
}

Model parse(std::string bytes, const fs::path& external_data_folder, bool follow_symlinks) {
  if (bytes.size() > kMaxModelBytes)
    fail(ErrorCode::limit, "has {} bytes, at most {} are accepted", bytes.size(), kMaxModelBytes);
  onnx::ModelProto proto = parse_proto(bytes);
  std::string().swap(bytes);  // the message has its own copy; large models need the memory
  ExternalData external(external_data_folder, follow_symlinks);
  return read_model(proto, external);
}

}  // namespace

Model parse_model(std::string bytes, const std::string& name, const LoadOptions& options) {
  try {
    return parse(std::move(bytes), options.external_data_folder, options.follow_symlinks);
  } catch (const Error& error) {
    throw error.with_context(printable(name));
  }
}

Model load_model(const fs::path& path, const LoadOptions& options) {
  LoadOptions here = options;
  if (here.external_data_folder.empty())
    here.external_data_folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  return parse_model(read_file(path, kMaxModelBytes), path.string(), here);
}

}  // namespace fp8q
