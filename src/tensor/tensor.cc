#include "tensor/tensor.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>

#include "base/checked.h"
#include "base/error.h"
#include "base/memory_plan.h"

namespace fp8q {

std::optional<DType> dtype_of_onnx_code(int code) {
  switch (code) {
#define FP8Q_DTYPE(id, onnx_code, ...) \
  case onnx_code:                      \
    return DType::id;
#include "tensor/dtype.def"
#undef FP8Q_DTYPE
    default:
      return std::nullopt;
  }
}

std::string_view name(DType dtype) {
  switch (dtype) {
#define FP8Q_DTYPE(id, onnx_code, type, name) \
  case DType::id:                             \
    return name;
#include "tensor/dtype.def"
#undef FP8Q_DTYPE
  }
  return "?";
}

std::optional<Format> format_of(DType dtype) {
  return format_of_onnx_type(static_cast<int>(dtype));
}

DType dtype_of_format(Format format) {
  const auto dtype = dtype_of_onnx_code(info(format).onnx_type);
  FP8Q_ASSERT(dtype && element_size(*dtype) == 1);
  return *dtype;
}

size_t element_size(DType dtype) {
  return visit(dtype, [](auto tag) { return sizeof(typename decltype(tag)::type); });
}

std::optional<uint64_t> checked_elements(const Shape& shape) {
  std::optional<uint64_t> product = 1;
  bool empty = false;
  for (const int64_t d : shape) {
    if (d < 0) return std::nullopt;
    if (d == 0) empty = true;
    if (d > 0 && product) product = checked_mul(*product, static_cast<uint64_t>(d));
  }
  // A zero dimension must not hide an overflow of the other dimensions.
  if (!product || *product > (uint64_t{1} << 48)) return std::nullopt;
  return empty ? 0 : product;
}

int64_t elements(const Shape& shape) {
  const auto n = checked_elements(shape);
  FP8Q_ASSERT(n.has_value());
  return static_cast<int64_t>(*n);
}

std::string to_string(const Shape& shape) {
  constexpr size_t kShown = size_t{2} * kMaxRank;
  if (shape.size() <= kShown) return fmt::format("[{}]", fmt::join(shape, ", "));
  return fmt::format("[{}, ... ({} numbers)]",
                     fmt::join(shape.begin(), shape.begin() + kShown, ", "), shape.size());
}

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape out = longer;
  const size_t lead = longer.size() - shorter.size();
  for (size_t i = 0; i < shorter.size(); ++i) {
    int64_t& d = out[lead + i];
    if (d == 1) d = shorter[i];
    else if (shorter[i] != 1 && shorter[i] != d) return std::nullopt;
  }
  return out;
}

Tensor::Tensor(DType dtype, Shape shape)
    : dtype_(dtype), shape_(std::move(shape)), size_(elements(shape_)), writable_(true) {
  constexpr size_t kAlignment = 64;  // a cache line, and the widest vector
  const size_t rounded = (nbytes() / kAlignment + 1) * kAlignment;
  check_allocation(rounded);
  void* memory = std::aligned_alloc(kAlignment, rounded);
  if (!memory) throw std::bad_alloc();
  std::memset(memory, 0, rounded);
  owner_ = std::shared_ptr<void>(memory, &std::free);
  bytes_ = static_cast<const std::byte*>(memory);
}

Tensor Tensor::view(DType dtype, Shape shape, std::shared_ptr<const void> owner,
                    const void* bytes) {
  Tensor t(dtype, {0});
  t.size_ = elements(shape);
  t.shape_ = std::move(shape);
  t.owner_ = std::move(owner);
  t.bytes_ = static_cast<const std::byte*>(bytes);
  t.writable_ = false;
  return t;
}

int64_t Tensor::dim(int64_t i) const {
  const int64_t at = i < 0 ? i + rank() : i;
  FP8Q_ASSERT(at >= 0 && at < rank());
  return shape_[static_cast<size_t>(at)];
}

std::byte* Tensor::mutable_bytes() {
  if (!writable_ || owner_.use_count() != 1) {
    Tensor own(dtype_, shape_);
    std::memcpy(const_cast<std::byte*>(own.bytes_), bytes_, nbytes());
    *this = std::move(own);
  }
  return const_cast<std::byte*>(bytes_);  // the allocation is our own and not shared
}

Tensor Tensor::reshaped(Shape shape) const {
  FP8Q_ASSERT(elements(shape) == size_);
  Tensor t = *this;
  t.shape_ = std::move(shape);
  return t;
}

namespace {

template <typename From, typename To>
To convert(From value) {
  if constexpr (std::is_same_v<From, To>) {
    return value;
  } else if constexpr (std::is_arithmetic_v<From> && std::is_arithmetic_v<To>) {
    return static_cast<To>(value);
  } else {
    return static_cast<To>(static_cast<float>(value));
  }
}

}  // namespace

Tensor Tensor::to(DType dtype) const {
  if (dtype == dtype_) return *this;
  Tensor out(dtype, shape_);
  visit(dtype_, [&](auto from_tag) {
    using From = typename decltype(from_tag)::type;
    visit(dtype, [&](auto to_tag) {
      using To = typename decltype(to_tag)::type;
      const auto from = data<From>();
      auto to = out.mutable_data<To>();
      for (size_t i = 0; i < from.size(); ++i) to[i] = convert<From, To>(from[i]);
    });
  });
  return out;
}

bool identical(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         std::memcmp(a.bytes(), b.bytes(), a.nbytes()) == 0;
}

}  // namespace fp8q
