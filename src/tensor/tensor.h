// A Tensor is a typed, dense, row-major n-dimensional array.
//
// Copies share the payload; mutable_data() copies it first when it is shared, so a Tensor behaves
// as a value. The payload may belong to another object (a parsed file): Tensor::view keeps the
// owner alive.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace fp8q {

class Tensor {
 public:
  Tensor() : Tensor(DType::f32, {0}) {}
  // Creates a zero-filled tensor. The shape must be valid (checked_elements). Throws an Error
  // (limit) if it would exceed the memory limit.
  Tensor(DType dtype, Shape shape);
  // `bytes` must hold exactly the elements, stay valid while `owner` lives, and be aligned for the
  // element type.
  static Tensor view(DType dtype, Shape shape, std::shared_ptr<const void> owner,
                     const void* bytes);

  template <typename T>
  static Tensor of(Shape shape, const std::vector<T>& values) {
    Tensor t(dtype_of<T>, std::move(shape));
    FP8Q_ASSERT(values.size() == static_cast<size_t>(t.size()));
    auto to = t.mutable_data<T>();
    for (size_t i = 0; i < values.size(); ++i) to[i] = values[i];
    return t;
  }
  template <typename T>
  static Tensor scalar(T value) {
    return of<T>({}, std::vector<T>{value});
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t rank() const { return static_cast<int64_t>(shape_.size()); }
  int64_t dim(int64_t i) const;  // a negative i counts from the end
  int64_t size() const { return size_; }
  size_t nbytes() const { return static_cast<size_t>(size_) * element_size(dtype_); }

  template <typename T>
  std::span<const T> data() const {
    FP8Q_ASSERT(dtype_of<T> == dtype_);
    return {reinterpret_cast<const T*>(bytes_), static_cast<size_t>(size_)};
  }
  template <typename T>
  std::span<T> mutable_data() {
    FP8Q_ASSERT(dtype_of<T> == dtype_);
    return {reinterpret_cast<T*>(mutable_bytes()), static_cast<size_t>(size_)};
  }
  const std::byte* bytes() const { return bytes_; }
  std::byte* mutable_bytes();

  // Returns the same payload with another shape that has the same number of elements.
  Tensor reshaped(Shape shape) const;
  // Converts element by element: through float between floating-point types (FP8 saturates),
  // otherwise by C++'s rules.
  Tensor to(DType dtype) const;

 private:
  DType dtype_;
  Shape shape_;
  int64_t size_;
  std::shared_ptr<const void> owner_;
  const std::byte* bytes_;
  bool writable_;  // the payload is our own allocation
};

// Compares contents: type, shape and every byte.
bool identical(const Tensor& a, const Tensor& b);

}  // namespace fp8q
