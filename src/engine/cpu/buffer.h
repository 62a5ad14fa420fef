// Holds memory that is aligned to cache lines, grown when needed and reused.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "base/memory_plan.h"

namespace fp8q::cpu {

template <typename T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t count) { grow(count); }

  // Makes room for at least `count` elements. The contents are lost when the buffer grows.
  T* grow(size_t count) {
    if (count > capacity_) {
      data_.reset();
      capacity_ = 0;
      check_allocation(count * sizeof(T));
      data_.reset(static_cast<T*>(::operator new(count * sizeof(T), kAlignment)));
      capacity_ = count;
    }
    return data_.get();
  }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(T* memory) const { ::operator delete(memory, kAlignment); }
  };
  std::unique_ptr<T, Free> data_;
  size_t capacity_ = 0;
};

}  // namespace fp8q::cpu
