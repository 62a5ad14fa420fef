#include "onnx/payloads.h"

#include <charconv>
#include <cstring>
#include <optional>
#include <set>

#include "base/checked.h"
#include "base/error.h"
#include "onnx/external_file.h"
#include "onnx/wire_scan.h"
#include "tensor/tensor.h"

namespace fp8q {
namespace {

struct Reference {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

uint64_t number(const std::string& text, const std::string& key, const std::string& what) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end)
    fail(ErrorCode::bad_model, "{}: external data {} \"{}\" is not a whole number >= 0", what, key,
         printable(text));
  return value;
}

Reference read_reference(const onnx::TensorProto& proto, const std::string& what) {
  Reference reference;
  std::set<std::string> seen;
  for (const auto& entry : proto.external_data()) {
    const std::string& key = entry.key();
    if (!seen.insert(key).second)
      fail(ErrorCode::bad_model, "{}: external data gives \"{}\" twice", what, printable(key));
    if (key == "location") reference.location = entry.value();
    else if (key == "offset") reference.offset = number(entry.value(), key, what);
    else if (key == "length") reference.length = number(entry.value(), key, what);
    else if (key != "checksum")  // SHA-1, optional; no exporter writes it
      fail(ErrorCode::bad_model,
           "{}: external data has the unknown key \"{}\"; location, offset, length and checksum "
           "are expected",
           what, printable(key));
  }
  if (reference.location.empty())
    fail(ErrorCode::bad_model, "{}: external data has no location", what);
  return reference;
}

bool is_aligned(const void* bytes, size_t alignment) {
  return reinterpret_cast<uintptr_t>(bytes) % alignment == 0;
}

// Returns the part in place if it is aligned, otherwise a copy.
std::shared_ptr<const void> aligned(const std::shared_ptr<const FileBytes>& file,
                                    std::string_view part, size_t alignment) {
  if (is_aligned(part.data(), alignment)) return {file, part.data()};
  const auto copy = std::make_shared<Tensor>(DType::u8, Shape{static_cast<int64_t>(part.size())});
  std::memcpy(copy->mutable_bytes(), part.data(), part.size());
  file->release(part);
  return {copy, copy->bytes()};
}

}  // namespace

Payloads::Payloads(std::shared_ptr<const FileBytes> model, fs::path path)
    : model_(std::move(model)), path_(std::move(path)) {}

ModelFiles Payloads::files() const {
  ModelFiles files{model_, {}};
  for (const auto& [location, source] : sources_) files.external.push_back({location, source.file});
  return files;
}

Payloads::Payload Payloads::raw(onnx::TensorProto& proto, size_t alignment) {
  const std::string& field = proto.raw_data();
  if (model_ && !field.empty()) {
    const std::string_view part = payload_at(model_->view(), field);
    std::shared_ptr<const void>& bytes = in_model_[part.data()];
    if (!bytes) bytes = aligned(model_, part, alignment);
    return {bytes, part.size()};
  }
  const auto file = FileBytes::of(std::move(*proto.mutable_raw_data()));
  return {aligned(file, file->view(), alignment), file->view().size()};
}

Payloads::Source& Payloads::source(const std::string& location) {
  const auto known = sources_.find(location);
  if (known != sources_.end()) return known->second;
  const fs::path shown = path_.parent_path() / location;
  const auto file = FileBytes::of(open_external_file(path_, location), shown.string());
  return sources_.emplace(location, Source{file}).first->second;
}

Payloads::Payload Payloads::external(const onnx::TensorProto& proto, uint64_t nbytes,
                                     size_t alignment, const std::string& what) {
  const Reference reference = read_reference(proto, what);
  if (path_.empty()) fail(ErrorCode::bad_model, "{}: external data is not available here", what);
  if (reference.length && *reference.length != nbytes)
    fail(ErrorCode::bad_model, "{}: external data has a length of {} bytes, {} are expected", what,
         *reference.length, nbytes);
  const auto key = std::tuple(reference.location, reference.offset, nbytes);
  const auto known = ranges_.find(key);
  if (known != ranges_.end() && is_aligned(known->second.bytes.get(), alignment))
    return known->second;

  Source& from = source(reference.location);
  const uint64_t size = from.file->view().size();
  const auto end = checked_add(reference.offset, nbytes);
  if (!end || *end > size)
    fail(ErrorCode::bad_model,
         "{}: external data is {} bytes at offset {}, but \"{}\" has only {}; is it the file that "
         "belongs to this model, and complete?",
         what, nbytes, reference.offset, printable(reference.location), size);
  if (known == ranges_.end()) from.claimed += nbytes;  // both are at most the size of a file
  if (from.claimed > size)
    fail(ErrorCode::bad_model, "{}: external data overlaps that of another tensor", what);
  const std::string_view part = from.file->view().substr(reference.offset, nbytes);
  return ranges_[key] = {aligned(from.file, part, alignment), nbytes};
}

}  // namespace fp8q
