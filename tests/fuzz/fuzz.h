// Helps the fuzz targets. Each target is one file with LLVMFuzzerTestOneInput(), and with
// LLVMFuzzerCustomMutator() where inputs have a structure.
//
// libFuzzer calls a target with inputs of its own (FP8Q_FUZZ, scripts/fuzz.sh). Other builds link
// replay.cc, which calls it with the files of its corpus, so that targets do not rot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "fp8q/error.h"

extern "C" {
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// Changes `data` in place and returns the new size, which is at most `max_size`.
size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed);
// Is defined by libFuzzer, or by replay.cc: changes bytes at random.
size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);
}

namespace fp8q::test {

// Reads decisions from the bytes of an input. Behind the end there are zeros.
class ByteSource {
 public:
  ByteSource(const uint8_t* data, size_t size) : data_(data), end_(data + size) {}

  bool empty() const { return data_ == end_; }
  uint8_t byte() { return empty() ? 0 : *data_++; }
  bool flag() { return byte() & 1; }
  // Returns a number from 0 to n - 1; n is at most 256.
  size_t below(size_t n) { return byte() % n; }
  int64_t between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(below(static_cast<size_t>(most - least + 1)));
  }
  uint32_t word();
  template <typename List>
  decltype(auto) one_of(const List& list) {
    return list[below(std::size(list))];
  }
  std::string_view rest();

 private:
  const uint8_t* data_;
  const uint8_t* end_;
};

// Ends the program: the target has found a defect.
[[noreturn]] void crash(std::string_view what);
inline void require(bool holds, std::string_view what) {
  if (!holds) crash(what);
}
// Ends the program unless the code is one that an input may cause.
void check_code(const Error& error);

// Returns whether `action` ends without an Error. Everything else that it throws is a defect and
// ends the program.
template <typename Action>
bool succeeds(const Action& action) {
  try {
    action();
    return true;
  } catch (const Error& error) {
    check_code(error);
    return false;
  }
}

// Copies `text` to `data` if it fits. Returns the new size, or `size` if it does not fit.
size_t replace_input(uint8_t* data, size_t size, size_t max_size, std::string_view text);

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace fp8q::test
