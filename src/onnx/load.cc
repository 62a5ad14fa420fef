#include "onnx/load.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>

#include "base/error.h"
#include "base/file.h"
#include "onnx/other_formats.h"
#include "onnx/payloads.h"
#include "onnx/proto.h"
#include "onnx/read_model.h"
#include "onnx/wire_scan.h"

namespace fp8q {
namespace {

// Parses the model without the payloads of raw_data.
onnx::ModelProto parse_proto(std::string_view bytes) {
  if (bytes.empty()) fail(ErrorCode::bad_model, "is empty (0 bytes)");
  const std::string other = other_format(bytes);
  if (!other.empty()) fail(ErrorCode::bad_model, "is not an ONNX model but {}", other);
  std::string message;
  try {
    message = scan_model_bytes(bytes);
  } catch (const Error& error) {
    throw error.with_context("is not a valid ONNX model");
  }
  if (message.size() > kMaxModelBytes)
    fail(ErrorCode::limit, "has {} bytes without its weights, at most {} are accepted",
         message.size(), kMaxModelBytes);
  const google::protobuf::LogSilencer silence;  // a library prints nothing
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(message.data()),
                                            static_cast<int>(message.size()));
  in.SetRecursionLimit(kMaxMessageDepth);
  onnx::ModelProto proto;
  if (!proto.ParseFromCodedStream(&in) || !in.ConsumedEntireMessage())
    fail(ErrorCode::bad_model, "is not a valid ONNX model: a message is malformed");
  if (!proto.has_graph())
    fail(ErrorCode::bad_model, "is not an ONNX model, or one without a graph");
  return proto;
}

LoadedModel parse(std::shared_ptr<const FileBytes> bytes, const LoadOptions& options) {
  const size_t size = bytes->view().size();
  if (size > kMaxModelBytes)
    fail(ErrorCode::limit, "has {} bytes, at most {} are accepted", size, kMaxModelBytes);
  onnx::ModelProto proto = parse_proto(bytes->view());
  Payloads payloads(std::move(bytes), options.external_data_folder, options.follow_symlinks);
  Model model = read_model(proto, payloads);
  return {std::move(model), payloads.files()};
}

}  // namespace

LoadedModel parse_model(std::shared_ptr<const FileBytes> bytes, const std::string& name,
                        const LoadOptions& options) {
  try {
    return parse(std::move(bytes), options);
  } catch (const Error& error) {
    throw error.with_context(printable(name));
  }
}

Model parse_model(std::string bytes, const std::string& name, const LoadOptions& options) {
  return parse_model(FileBytes::of(std::move(bytes)), name, options).model;
}

Model load_model(const fs::path& path, const LoadOptions& options) {
  LoadOptions here = options;
  if (here.external_data_folder.empty())
    here.external_data_folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  return parse_model(FileBytes::open(path, kMaxModelBytes), path.string(), here).model;
}

}  // namespace fp8q
