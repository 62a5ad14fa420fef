#include "onnx/read_tensor.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace fp8q {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

// These are the names of TensorProto.DataType as of IR 13.
constexpr std::array<const char*, 27> kTypeNames = {
    "UNDEFINED",      "FLOAT",    "UINT8",        "INT8",           "UINT16",
    "INT16",          "INT32",    "INT64",        "STRING",         "BOOL",
    "FLOAT16",        "DOUBLE",   "UINT32",       "UINT64",         "COMPLEX64",
    "COMPLEX128",     "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2",
    "FLOAT8E5M2FNUZ", "UINT4",    "INT4",         "FLOAT4E2M1",     "FLOAT8E8M0",
    "UINT2",          "INT2"};

Shape read_shape(const onnx::TensorProto& proto, const std::string& what) {
  if (proto.dims_size() > kMaxRank)
    fail(ErrorCode::bad_model, "{}: has {} dimensions, at most {} are accepted", what,
         proto.dims_size(), kMaxRank);
  Shape shape(proto.dims().begin(), proto.dims().end());
  for (const int64_t dim : shape)
    if (dim < 0) fail(ErrorCode::bad_model, "{}: has a negative dimension {}", what, dim);
  if (!checked_elements(shape))
    fail(ErrorCode::bad_model, "{}: shape {} has too many elements", what, to_string(shape));
  return shape;
}

[[noreturn]] void fail_size(const std::string& what, DType dtype, const Shape& shape,
                            const char* field, uint64_t found, uint64_t expected) {
  fail(ErrorCode::bad_model, "{}: {} has {} where {} of shape {} needs {}", what, field, found,
       name(dtype), to_string(shape), expected);
}

// Every byte of a C++ bool must be 0 or 1, so other values are rejected.
void check_booleans(const Tensor& tensor, const std::string& what) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(tensor.bytes());
  if (std::any_of(bytes, bytes + tensor.nbytes(), [](unsigned char b) { return b > 1; }))
    fail(ErrorCode::bad_model, "{}: holds a bool that is neither 0 nor 1", what);
}

Tensor from_raw(onnx::TensorProto& proto, DType dtype, Shape shape, const std::string& what,
                Payloads& payloads) {
  const auto expected = static_cast<uint64_t>(elements(shape)) * element_size(dtype);
  auto [bytes, size] = payloads.raw(proto, element_size(dtype));
  if (size != expected) fail_size(what, dtype, shape, "raw_data (in bytes)", size, expected);
  const void* data = bytes.get();
  return Tensor::view(dtype, std::move(shape), std::move(bytes), data);
}

// Returns the smallest value of an int32_data entry that holds an element of `dtype`.
int32_t smallest_entry(DType dtype) {
  if (dtype == DType::i32) return std::numeric_limits<int32_t>::min();
  return dtype == DType::i8 ? std::numeric_limits<int8_t>::min() : 0;
}

int32_t largest_entry(DType dtype) {
  switch (dtype) {
    case DType::i32:
      return std::numeric_limits<int32_t>::max();
    case DType::i8:
      return std::numeric_limits<int8_t>::max();
    case DType::boolean:
      return 1;
    default:
      return element_size(dtype) == 1 ? 0xFF : 0xFFFF;
  }
}

template <typename Values>
Tensor from_values(const Values& values, DType dtype, Shape shape, const char* field,
                   const std::string& what) {
  if (values.size() != elements(shape))
    fail_size(what, dtype, shape, field, static_cast<uint64_t>(values.size()),
              static_cast<uint64_t>(elements(shape)));
  Tensor tensor(dtype, std::move(shape));
  std::memcpy(tensor.mutable_bytes(), values.data(), tensor.nbytes());
  return tensor;
}

Tensor from_int32(const onnx::TensorProto& proto, DType dtype, Shape shape,
                  const std::string& what) {
  const auto& values = proto.int32_data();
  if (dtype == DType::i32) return from_values(values, dtype, std::move(shape), "int32_data", what);
  if (values.size() != elements(shape))
    fail_size(what, dtype, shape, "int32_data", static_cast<uint64_t>(values.size()),
              static_cast<uint64_t>(elements(shape)));
  Tensor tensor(dtype, std::move(shape));
  std::byte* to = tensor.mutable_bytes();
  const size_t size = element_size(dtype);
  for (const int32_t value : values) {
    if (value < smallest_entry(dtype) || value > largest_entry(dtype))
      fail(ErrorCode::bad_model, "{}: int32_data holds {}, which is outside {}", what, value,
           name(dtype));
    std::memcpy(to, &value, size);  // the low bytes
    to += size;
  }
  return tensor;
}

enum class Payload { none, raw, f32, i32, i64, f64 };

Payload typed_payload_of(DType dtype) {
  if (dtype == DType::f32) return Payload::f32;
  if (dtype == DType::i64) return Payload::i64;
  if (dtype == DType::f64) return Payload::f64;
  return Payload::i32;
}

// Returns the payload field that is filled.
Payload payload_of(const onnx::TensorProto& proto, DType dtype, const std::string& what) {
  Payload found = Payload::none;
  const auto consider = [&](bool present, Payload payload) {
    if (!present) return;
    if (found != Payload::none)
      fail(ErrorCode::bad_model, "{}: has more than one payload field", what);
    found = payload;
  };
  consider(!proto.raw_data().empty(), Payload::raw);
  consider(proto.float_data_size() > 0, Payload::f32);
  consider(proto.int32_data_size() > 0, Payload::i32);
  consider(proto.int64_data_size() > 0, Payload::i64);
  consider(proto.double_data_size() > 0, Payload::f64);
  const bool foreign = proto.uint64_data_size() > 0 || proto.string_data_size() > 0;
  if (foreign ||
      (found != Payload::none && found != Payload::raw && found != typed_payload_of(dtype)))
    fail(ErrorCode::bad_model, "{}: its payload field does not belong to its type {}", what,
         name(dtype));
  return found;
}

Tensor from_payload(onnx::TensorProto& proto, DType dtype, Shape shape, const std::string& what,
                    Payloads& payloads) {
  switch (payload_of(proto, dtype, what)) {
    case Payload::none:
      if (elements(shape) != 0)
        fail(ErrorCode::bad_model, "{}: has no payload for its shape {}", what, to_string(shape));
      return {dtype, std::move(shape)};
    case Payload::raw:
      return from_raw(proto, dtype, std::move(shape), what, payloads);
    case Payload::f32:
      return from_values(proto.float_data(), dtype, std::move(shape), "float_data", what);
    case Payload::i32:
      return from_int32(proto, dtype, std::move(shape), what);
    case Payload::i64:
      return from_values(proto.int64_data(), dtype, std::move(shape), "int64_data", what);
    case Payload::f64:
      return from_values(proto.double_data(), dtype, std::move(shape), "double_data", what);
  }
  FP8Q_ASSERT(!"Payload out of range");
}

Tensor from_file(const onnx::TensorProto& proto, DType dtype, Shape shape, const std::string& what,
                 Payloads& payloads) {
  if (payload_of(proto, dtype, what) != Payload::none)
    fail(ErrorCode::bad_model, "{}: has external data and a payload", what);
  const auto nbytes = static_cast<uint64_t>(elements(shape)) * element_size(dtype);
  if (nbytes == 0) return {dtype, std::move(shape)};
  auto bytes = payloads.external(proto, nbytes, element_size(dtype), what).bytes;
  const void* data = bytes.get();
  return Tensor::view(dtype, std::move(shape), std::move(bytes), data);
}

}  // namespace

std::string onnx_type_name(int code) {
  if (code >= 0 && code < static_cast<int>(kTypeNames.size()))
    return kTypeNames[static_cast<size_t>(code)];
  return fmt::format("type {}", code);
}

Tensor read_tensor(onnx::TensorProto& proto, const std::string& what, Payloads& payloads) {
  const auto dtype = dtype_of_onnx_code(proto.data_type());
  if (!dtype)
    fail(ErrorCode::unsupported, "{}: element type {} is not supported", what,
         onnx_type_name(proto.data_type()));
  if (proto.has_segment())
    fail(ErrorCode::unsupported, "{}: tensors in segments are not supported", what);
  Shape shape = read_shape(proto, what);
  const bool elsewhere = proto.data_location() == onnx::TensorProto_DataLocation_EXTERNAL;
  if (!elsewhere && proto.external_data_size() > 0)
    fail(ErrorCode::bad_model, "{}: names external data but is not stored there", what);
  Tensor tensor = elsewhere ? from_file(proto, *dtype, std::move(shape), what, payloads)
                            : from_payload(proto, *dtype, std::move(shape), what, payloads);
  if (*dtype == DType::boolean) check_booleans(tensor, what);
  return tensor;
}

}  // namespace fp8q
