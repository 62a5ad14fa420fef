// Divides the memory of attention_panels.h and attention_tiles.h.
#pragma once

#include <cstddef>

namespace fp8q::cpu {

// Hands out the parts of AttendHead::scratch, in whole cache lines.
class Scratch {
 public:
  explicit Scratch(float* from) : next_(from) {}
  template <typename T>
  static constexpr size_t floats(size_t count) {
    return (count * sizeof(T) + 63) / 64 * (64 / sizeof(float));
  }
  template <typename T>
  T* take(size_t count) {
    T* part = reinterpret_cast<T*>(next_);
    next_ += floats<T>(count);
    return part;
  }

 private:
  float* next_;
};

}  // namespace fp8q::cpu
