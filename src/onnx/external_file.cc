#include "onnx/external_file.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/beneath.h"
#include "base/error.h"

namespace fp8q {
namespace {

void check_location(const std::string& location) {
  const fs::path path(location);
  if (location.empty() || path.is_absolute() || location.find('\0') != std::string::npos)
    fail(ErrorCode::bad_model, "external data location \"{}\" is not a relative path",
         printable(location));
  if (std::ranges::find(path, "..") != path.end())
    fail(ErrorCode::bad_model, "external data location \"{}\" leaves the model's folder",
         printable(location));
}

fs::path real_path(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  if (error)
    fail(ErrorCode::file, "{}: cannot be opened: {}", printable(path.string()), error.message());
  return real;
}

// Opens what the links on the way lead to, if the rules allow it.
std::optional<OpenedFile> open_behind_links(const fs::path& model, const fs::path& folder,
                                            const std::string& location) {
  const fs::path file = real_path(folder / location), inside = real_path(folder);
  const fs::path relative = file.lexically_relative(inside);
  if (*relative.begin() != "..") return open_beneath(inside, relative);
  const fs::path cache = real_path(model).parent_path();
  if (file.parent_path() == cache) return open_beneath(cache, file.filename());
  return std::nullopt;
}

template <typename Nodes, typename Take>
void for_each_tensor_of(const Nodes& nodes, const Take& take) {
  for (const onnx::NodeProto& node : nodes)
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      take(attribute.t());
      for (const onnx::TensorProto& tensor : attribute.tensors()) take(tensor);
    }
}

}  // namespace

OpenedFile open_external_file(const fs::path& model, const std::string& location) {
  check_location(location);
  const fs::path folder = model.has_parent_path() ? model.parent_path() : fs::path(".");
  std::optional<OpenedFile> file = open_beneath(folder, location);
  if (!file) file = open_behind_links(model, folder, location);
  if (!file)
    fail(ErrorCode::bad_model,
         "{}: external data is reached through a symbolic link that leaves the model's folder, "
         "which is refused; put the file itself beside the model",
         printable((folder / location).string()));
  return std::move(*file);
}

std::vector<std::string> external_locations(const onnx::ModelProto& proto) {
  std::set<std::string> locations;
  const auto take = [&](const onnx::TensorProto& tensor) {
    for (const auto& entry : tensor.external_data())
      if (entry.key() == "location") locations.insert(entry.value());
  };
  for (const onnx::TensorProto& tensor : proto.graph().initializer()) take(tensor);
  for_each_tensor_of(proto.graph().node(), take);
  for (const onnx::FunctionProto& function : proto.functions())
    for_each_tensor_of(function.node(), take);
  return {locations.begin(), locations.end()};
}

}  // namespace fp8q
