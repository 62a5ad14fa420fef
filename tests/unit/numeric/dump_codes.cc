// Writes the codes of floats to standard output: dump_codes FORMAT FIRST COUNT, where the floats
// are those with the bits FIRST, FIRST + 1, ... A format is e4m3 or e5m2 (one byte a code, not
// saturating), or f16 or bf16 (two bytes, lowest first).
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "numeric/minifloat.h"

namespace {

template <typename Codec, size_t kBytes>
bool dump(uint64_t first, uint64_t count) {
  std::vector<unsigned char> codes;
  for (uint64_t i = 0; i < count; ++i) {
    const auto x = std::bit_cast<float>(static_cast<uint32_t>(first + i));
    const uint32_t code = Codec::encode(x, false);
    for (size_t b = 0; b < kBytes; ++b)
      codes.push_back(static_cast<unsigned char>(code >> (8 * b)));
  }
  return std::fwrite(codes.data(), 1, codes.size(), stdout) == codes.size();
}

}  // namespace

int main(int argc, char** argv) {
  using namespace fp8q;
  if (argc != 4) return 2;
  const std::string format = argv[1];
  const uint64_t first = std::strtoull(argv[2], nullptr, 10);
  const uint64_t count = std::strtoull(argv[3], nullptr, 10);
  if (format == "e4m3") return !dump<E4M3Codec, 1>(first, count);
  if (format == "e5m2") return !dump<E5M2Codec, 1>(first, count);
  if (format == "f16") return !dump<Float16Codec, 2>(first, count);
  if (format == "bf16") return !dump<BFloat16Codec, 2>(first, count);
  return 2;
}
