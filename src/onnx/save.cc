#include "onnx/save.h"

#include <array>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "onnx/load.h"
#include "onnx/write_model.h"

namespace fp8q {
namespace {

// Data is aligned to memory pages because readers may map the data file.
constexpr uint64_t kDataAlignment = 4096;
// Smaller initializers stay in the model, because shapes and axes should be there.
constexpr uint64_t kSmallInitializer = 1024;
constexpr size_t kHashDigits = 12;

uint64_t align_up(uint64_t offset) {
  return (offset + kDataAlignment - 1) / kDataAlignment * kDataAlignment;
}

std::string_view payload(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes()), tensor.nbytes()};
}

// Decides which initializers go to the data file, and where. The file name contains a hash of their
// content.
std::map<std::string, ExternalPlace> plan_external(const Model& model, const fs::path& path) {
  std::map<std::string, ExternalPlace> places;
  uint64_t end = 0;
  std::string content;
  for (const auto& [name, tensor] : model.graph.initializers) {
    if (tensor.nbytes() < kSmallInitializer) continue;
    const uint64_t offset = align_up(end);
    places[name] = {{}, offset};
    end = offset + tensor.nbytes();
    content += fmt::format("{} {}\n", offset, sha256(payload(tensor)));
  }
  const std::string file =
      fmt::format("{}.{}.data", path.stem().string(), sha256(content).substr(0, kHashDigits));
  for (auto& [name, place] : places) place.file = file;
  return places;
}

void write_external(const Model& model, const std::map<std::string, ExternalPlace>& places,
                    const fs::path& path) {
  static constexpr std::array<char, kDataAlignment> kZeros{};
  AtomicFile file(path);
  uint64_t at = 0;
  for (const auto& [name, tensor] : model.graph.initializers) {
    const auto place = places.find(name);
    if (place == places.end()) continue;
    file.write({kZeros.data(), place->second.offset - at});
    file.write(payload(tensor));
    at = place->second.offset + tensor.nbytes();
  }
  file.commit();
}

ModelFiles write_and_verify(const Model& model, const ModelBytes& bytes, const fs::path& path) {
  AtomicFile file(path);
  bytes.for_each_part([&](std::string_view part) { file.write(part); });
  std::string difference;
  ModelFiles files;
  try {
    const LoadedModel read = load_model_with_files(file.temporary_path());
    difference = first_difference(model, read.model).value_or("");
    files = read.files;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::file) throw;
    difference = error.what();
  }
  if (!difference.empty())
    fail(ErrorCode::internal,
         "{}: not written, because it does not read back as it should: {}. Please report this",
         printable(path.string()), difference);
  file.commit();
  return files;
}

// Removes a data file that no model refers to if writing the model failed.
class OrphanGuard {
 public:
  explicit OrphanGuard(fs::path path) : path_(std::move(path)), existed_(is_there(path_)) {}
  ~OrphanGuard() {
    std::error_code ignored;
    if (!kept_ && !existed_) fs::remove(path_, ignored);
  }
  OrphanGuard(const OrphanGuard&) = delete;
  OrphanGuard& operator=(const OrphanGuard&) = delete;
  void keep() { kept_ = true; }

 private:
  fs::path path_;
  bool existed_;
  bool kept_ = false;
};

}  // namespace

ModelFiles save_model(const Model& model, const fs::path& path, const SaveOptions& options) {
  ModelBytes bytes = layout_model(model);
  if (bytes.size <= options.max_proto_bytes) return write_and_verify(model, bytes, path);

  const auto places = plan_external(model, path);
  bytes = layout_model(model, places);
  if (bytes.size > kMaxModelBytes)
    fail(ErrorCode::limit, "{}: the model takes {} bytes without its weights, at most {} fit",
         printable(path.string()), bytes.size, kMaxModelBytes);
  if (places.empty()) return write_and_verify(model, bytes, path);
  const fs::path data = path.parent_path() / places.begin()->second.file;
  OrphanGuard guard(data);
  write_external(model, places, data);
  ModelFiles files = write_and_verify(model, bytes, path);
  guard.keep();
  return files;
}

std::string serialize_model(const Model& model) {
  const ModelBytes layout = layout_model(model);
  if (layout.size > kMaxModelBytes)
    fail(ErrorCode::limit, "the model takes {} bytes, at most {} fit one message", layout.size,
         kMaxModelBytes);
  std::string bytes;
  bytes.reserve(layout.size);
  layout.for_each_part([&](std::string_view part) { bytes += part; });
  return bytes;
}

}  // namespace fp8q
