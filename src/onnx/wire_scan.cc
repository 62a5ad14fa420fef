#include "onnx/wire_scan.h"

#include <google/protobuf/descriptor.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "onnx/proto.h"

namespace fp8q {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// A part (message, string or unknown field) takes up to about 200 bytes of memory once parsed. The
// largest BERT exports have about 10^5 parts.
constexpr uint64_t kMaxParts = uint64_t{1} << 22;

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// Names the position of a payload in the bytes of the model.
using Place = std::array<uint64_t, 2>;  // offset, size

std::string encoded(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

// Returns the message type of a field, if it is known. Debian's ONNX does not know default
// attributes.
const Descriptor* message_in(const Descriptor& type, uint64_t number,
                             const FieldDescriptor* field) {
  if (field) return field->message_type();
  const bool attribute =
      &type == onnx::FunctionProto::descriptor() && number == kDefaultAttributesField;
  return attribute ? onnx::AttributeProto::descriptor() : nullptr;
}

class Scan {
 public:
  explicit Scan(std::string_view bytes) : bytes_(bytes) {}

  std::string without_payloads() {
    message(*onnx::ModelProto::descriptor(), bytes_.size(), 1);
    std::string made;
    size_t at = 0;
    for (const Edit& edit : edits_) {
      made.append(bytes_, at, edit.from - at);
      made += edit.bytes;
      at = edit.to;
    }
    return made.append(bytes_, at);
  }

 private:
  // Replaces bytes_ from `from` to `to` by `bytes`.
  struct Edit {
    size_t from, to;
    std::string bytes;
    int64_t growth() const {
      return static_cast<int64_t>(bytes.size() + from) - static_cast<int64_t>(to);
    }
  };

  // Returns by how much the edits make the message longer.
  int64_t message(const Descriptor& type, size_t end, int depth) {
    if (depth > kMaxMessageDepth)
      fail(ErrorCode::bad_model, "messages are nested deeper than {} levels", kMaxMessageDepth);
    uint64_t seen = 0;        // bit i: the singular field with index i
    uint64_t seen_oneof = 0;  // bit i: a member of the choice with index i
    int64_t growth = 0;
    while (at_ < end) {
      const uint64_t tag = varint(end);
      const auto wire_type = static_cast<uint32_t>(tag & 7);
      const uint64_t number = tag >> 3;
      if (number == 0 || number > FieldDescriptor::kMaxNumber) malformed("a field number");
      const FieldDescriptor* field = type.FindFieldByNumber(static_cast<int>(number));
      const bool known = field && matches(*field, wire_type);
      if (known && !field->is_repeated()) {
        const auto* choice = field->containing_oneof();
        uint64_t& mask = choice ? seen_oneof : seen;
        const uint64_t bit = uint64_t{1} << (choice ? choice->index() : field->index());
        if (mask & bit)
          fail(ErrorCode::bad_model,
               "field \"{}\" occurs twice in one {}; programs would read such a file differently",
               field->name(), type.name());
        mask |= bit;
      }
      growth += value(wire_type,
                      {known ? field : nullptr, message_in(type, number, known ? field : nullptr)},
                      end, depth);
    }
    return growth;
  }

  [[noreturn]] void malformed(const char* what) const {
    fail(ErrorCode::bad_model, "{} at byte {} is malformed", what, at_);
  }

  [[noreturn]] void truncated(uint64_t missing) const {
    fail(ErrorCode::bad_model,
         "a field at byte {} needs {} more bytes than there are: the file is damaged or was not "
         "downloaded completely",
         at_, missing);
  }

  uint64_t varint(size_t end) {
    uint64_t result = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ >= end) truncated(1);
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      if (shift == 63 && byte > 1) malformed("a number");
      result |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte & 0x80) continue;
      if (byte == 0 && shift > 0) malformed("a number (padded)");
      return result;
    }
    malformed("a number");
  }

  static bool matches(const FieldDescriptor& field, uint32_t wire_type) {
    switch (field.type()) {
      case FieldDescriptor::TYPE_MESSAGE:
      case FieldDescriptor::TYPE_STRING:
      case FieldDescriptor::TYPE_BYTES:
        return wire_type == kBytes;
      case FieldDescriptor::TYPE_FLOAT:
        return wire_type == kFixed32 || (field.is_repeated() && wire_type == kBytes);
      case FieldDescriptor::TYPE_DOUBLE:
        return wire_type == kFixed64 || (field.is_repeated() && wire_type == kBytes);
      default:
        return wire_type == kVarint || (field.is_repeated() && wire_type == kBytes);
    }
  }

  // Holds the known types of a field.
  struct Known {
    const FieldDescriptor* field;
    const Descriptor* message;
  };

  int64_t value(uint32_t wire_type, const Known& known, size_t end, int depth) {
    const FieldDescriptor* field = known.field;
    const bool number =
        field && !known.message && field->cpp_type() != FieldDescriptor::CPPTYPE_STRING;
    if (!number && ++parts_ > kMaxParts)
      fail(ErrorCode::limit, "the model has more than {} nodes, names and other parts", kMaxParts);
    switch (wire_type) {
      case kVarint:
        varint(end);
        return 0;
      case kFixed64:
        skip(8, end);
        return 0;
      case kFixed32:
        skip(4, end);
        return 0;
      case kBytes:
        return length_delimited(known, end, depth);
      default:
        malformed("a field");
    }
  }

  int64_t length_delimited(const Known& known, size_t end, int depth) {
    const size_t start = at_;
    const uint64_t size = varint(end);
    if (size > end - at_) truncated(size - (end - at_));
    if (known.message) return embedded(*known.message, start, size, depth);
    const size_t payload = at_;
    at_ += static_cast<size_t>(size);
    if (known.field != raw_data_ || size == 0) return 0;
    const Place place{payload, size};
    std::string field = encoded(sizeof(place));
    field.append(reinterpret_cast<const char*>(place.data()), sizeof(place));
    return edits_.emplace_back(Edit{start, at_, std::move(field)}).growth();
  }

  // Scans a message whose length field is at `start`. The length changes with the contents.
  int64_t embedded(const Descriptor& type, size_t start, uint64_t size, int depth) {
    const size_t edit = edits_.size();
    edits_.push_back({start, at_, {}});
    const int64_t growth = message(type, at_ + static_cast<size_t>(size), depth + 1);
    if (edits_.size() == edit + 1) {
      edits_.pop_back();
      return 0;
    }
    edits_[edit].bytes = encoded(static_cast<uint64_t>(static_cast<int64_t>(size) + growth));
    return growth + edits_[edit].growth();
  }

  void skip(size_t size, size_t end) {
    if (size > end - at_) truncated(size - (end - at_));
    at_ += size;
  }

  std::string_view bytes_;
  size_t at_ = 0;
  uint64_t parts_ = 0;
  std::vector<Edit> edits_;  // in the order of the bytes
  const FieldDescriptor* const raw_data_ =
      onnx::TensorProto::descriptor()->FindFieldByNumber(onnx::TensorProto::kRawDataFieldNumber);
};

}  // namespace

std::string scan_model_bytes(std::string_view bytes) { return Scan(bytes).without_payloads(); }

std::string_view payload_at(std::string_view bytes, const std::string& place) {
  Place at;
  FP8Q_ASSERT(place.size() == sizeof(at));
  std::memcpy(at.data(), place.data(), sizeof(at));
  FP8Q_ASSERT(at[0] <= bytes.size() && at[1] <= bytes.size() - at[0]);
  return bytes.substr(at[0], at[1]);
}

}  // namespace fp8q
