#include "onnx/wire_scan.h"

#include <google/protobuf/descriptor.h>

#include <cstdint>

#include "base/error.h"
#include "onnx/proto.h"

namespace fp8q {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// A part (message, string or unknown field) takes up to about 200 bytes of memory once parsed;
// the largest BERT exports have some 10^5.
constexpr uint64_t kMaxParts = uint64_t{1} << 22;

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

class Scan {
 public:
  explicit Scan(std::string_view bytes) : bytes_(bytes) {}

  void message(const Descriptor& type, size_t end, int depth) {
    if (depth > kMaxMessageDepth)
      fail(ErrorCode::bad_model, "messages are nested deeper than {} levels", kMaxMessageDepth);
    uint64_t seen = 0;        // bit i: the singular field with index i
    uint64_t seen_oneof = 0;  // bit i: a member of the choice with index i
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
      value(wire_type, known ? field : nullptr, end, depth);
    }
  }

 private:
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

  void value(uint32_t wire_type, const FieldDescriptor* field, size_t end, int depth) {
    const bool number =
        field && !field->message_type() && field->cpp_type() != FieldDescriptor::CPPTYPE_STRING;
    if (!number && ++parts_ > kMaxParts)
      fail(ErrorCode::limit, "the model has more than {} nodes, names and other parts", kMaxParts);
    switch (wire_type) {
      case kVarint:
        varint(end);
        return;
      case kFixed64:
        return skip(8, end);
      case kFixed32:
        return skip(4, end);
      case kBytes: {
        const uint64_t size = varint(end);
        if (size > end - at_) truncated(size - (end - at_));
        if (field && field->message_type())
          message(*field->message_type(), at_ + static_cast<size_t>(size), depth + 1);
        else at_ += static_cast<size_t>(size);
        return;
      }
      default:
        malformed("a field");
    }
  }

  void skip(size_t size, size_t end) {
    if (size > end - at_) truncated(size - (end - at_));
    at_ += size;
  }

  std::string_view bytes_;
  size_t at_ = 0;
  uint64_t parts_ = 0;
};

}  // namespace

void scan_model_bytes(std::string_view bytes) {
  Scan(bytes).message(*onnx::ModelProto::descriptor(), bytes.size(), 1);
}

}  // namespace fp8q
