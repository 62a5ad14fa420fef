#include "tests/fuzz/fuzz.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fp8q::test {

uint32_t ByteSource::word() {
  uint32_t word = 0;
  for (int i = 0; i < 4; ++i) word |= static_cast<uint32_t>(byte()) << (8 * i);
  return word;
}

std::string_view ByteSource::rest() {
  const std::string_view rest(reinterpret_cast<const char*>(data_),
                              static_cast<size_t>(end_ - data_));
  data_ = end_;
  return rest;
}

void crash(std::string_view what) {
  std::fprintf(stderr, "defect: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

void check_code(const Error& error) {
  if (error.code() == ErrorCode::internal) crash(error.what());
}

size_t replace_input(uint8_t* data, size_t size, size_t max_size, std::string_view text) {
  if (text.size() > max_size) return size;
  std::memcpy(data, text.data(), text.size());
  return text.size();
}

}  // namespace fp8q::test
