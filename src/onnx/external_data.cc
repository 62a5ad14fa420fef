#include "onnx/external_data.h"

#include <charconv>
#include <optional>
#include <set>

#include "base/checked.h"
#include "base/error.h"
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
    else if (key != "checksum")  // SHA-1, optional, written by nobody
      fail(ErrorCode::bad_model,
           "{}: external data has the unknown key \"{}\"; location, offset, length and checksum "
           "are expected",
           what, printable(key));
  }
  if (reference.location.empty())
    fail(ErrorCode::bad_model, "{}: external data has no location", what);
  return reference;
}

}  // namespace

ExternalData::Source& ExternalData::source(const std::string& location) {
  const auto known = sources_.find(location);
  if (known != sources_.end()) return known->second;
  fs::path folder = folder_;
  std::string name = location;
  if (follow_symlinks_ && fs::path(location).is_relative() &&
      location.find("..") == std::string::npos && location.find('\0') == std::string::npos) {
    std::error_code error;
    const fs::path real = fs::canonical(folder_ / location, error);
    if (error)
      fail(ErrorCode::file, "{}: cannot be opened: {}", printable((folder_ / location).string()),
           error.message());
    folder = real.parent_path();
    name = real.filename().string();
  }
  return sources_.emplace(location, Source{open_beneath(folder, name)}).first->second;
}

std::shared_ptr<const void> ExternalData::read(const onnx::TensorProto& proto, uint64_t nbytes,
                                               const std::string& what) {
  const Reference reference = read_reference(proto, what);
  if (folder_.empty()) fail(ErrorCode::bad_model, "{}: external data is not available here", what);
  if (reference.length && *reference.length != nbytes)
    fail(ErrorCode::bad_model, "{}: external data has a length of {} bytes, {} are expected", what,
         *reference.length, nbytes);
  const auto key = std::tuple(reference.location, reference.offset, nbytes);
  if (const auto known = ranges_.find(key); known != ranges_.end()) return known->second;

  Source& from = source(reference.location);
  const auto end = checked_add(reference.offset, nbytes);
  if (!end || *end > from.file.size)
    fail(ErrorCode::bad_model,
         "{}: external data is {} bytes at offset {}, but \"{}\" has only {}; is it the file that "
         "belongs to this model, and complete?",
         what, nbytes, reference.offset, printable(reference.location), from.file.size);
  from.claimed += nbytes;  // cannot overflow: both are at most the size of a file
  if (from.claimed > from.file.size)
    fail(ErrorCode::bad_model, "{}: external data overlaps that of another tensor", what);
  auto buffer = std::make_shared<Tensor>(DType::u8, Shape{static_cast<int64_t>(nbytes)});
  read_exactly(from.file.fd, reference.offset, buffer->mutable_bytes(), nbytes,
               (folder_ / reference.location).string());
  std::shared_ptr<const void> bytes(buffer, buffer->bytes());
  ranges_.emplace(key, bytes);
  return bytes;
}

}  // namespace fp8q
