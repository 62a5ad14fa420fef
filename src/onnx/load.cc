#include "onnx/load.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>

#include "base/error.h"
#include "onnx/external_file.h"
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

// `path` is the file of the bytes. If it is empty, external data is refused.
LoadedModel parse(std::shared_ptr<const FileBytes> bytes, const fs::path& path) {
  const size_t size = bytes->view().size();
  if (size > kMaxModelBytes)
    fail(ErrorCode::limit, "has {} bytes, at most {} are accepted", size, kMaxModelBytes);
  onnx::ModelProto proto = parse_proto(bytes->view());
  Payloads payloads(std::move(bytes), path);
  Model model = read_model(proto, payloads);
  return {std::move(model), payloads.files()};
}

LoadedModel parse_as(const std::string& name, std::shared_ptr<const FileBytes> bytes,
                     const fs::path& path) {
  try {
    return parse(std::move(bytes), path);
  } catch (const Error& error) {
    throw error.with_context(printable(name));
  }
}

}  // namespace

LoadedModel parse_model(std::shared_ptr<const FileBytes> bytes, const std::string& name) {
  return parse_as(name, std::move(bytes), {});
}

Model parse_model(std::string bytes, const std::string& name) {
  return parse_model(FileBytes::of(std::move(bytes)), name).model;
}

LoadedModel load_model_with_files(const fs::path& path) {
  return parse_as(path.string(), FileBytes::open(path, kMaxModelBytes), path);
}

Model load_model(const fs::path& path) { return load_model_with_files(path).model; }

std::vector<fs::path> external_files_of(const fs::path& path) {
  std::vector<fs::path> files;
  try {
    const auto bytes = FileBytes::open(path, kMaxModelBytes);
    for (const std::string& location : external_locations(parse_proto(bytes->view())))
      files.push_back(path.parent_path() / location);
  } catch (const Error&) {  // whoever loads the model tells what is wrong with it
  }
  return files;
}

}  // namespace fp8q
